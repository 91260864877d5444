"""What text must be: in what form it is read at all (`canonical.py`), before it comes in (`incoming.py`), and before it goes
out (`outgoing.py`).
"""
