"""The fence around SQL that a model wrote: `ask.py` has it judged and runs it, `gate.py` judges in a process of its own
(`parser.py`, and `judging.py` for the way there), by `shape.py`, `functions.py` and `weighing.py`; `taken.py` has what models write
otherwise, `words.py` what they are told. What holds is the database, as `fence.sql` lays it.
"""
