"""Takes queued runs and walks them through the corridor. `runner.py` is one run, `worker.py` many."""
