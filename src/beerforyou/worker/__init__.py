"""Takes queued runs and walks them through the corridor: `runner.py` is one run, `worker.py` many. And what is to be done
besides, by whichever worker comes by: `webhooks.py` sends the outbox, `housekeeping.py` takes away what is old.
"""
