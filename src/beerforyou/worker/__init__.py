"""Takes queued runs and walks them through the corridor, many at a time (`worker.py`); `housekeeping.py` takes away what is
old, by whichever worker comes by.
"""
