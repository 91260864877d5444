"""Where a client wants to be told that a run has ended: `registry.py` keeps the addresses, `delivery.py` sends the outbox."""
