"""Where a client wants to be told that a run has ended: `registry.py` keeps the addresses that `addresses.py` lets pass,
`delivery.py` walks the outbox, and each message is signed by `signing.py` and sent by `sending.py`.
"""
