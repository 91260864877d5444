"""The one way to strangers. `fetch.py` opens it and bounds what comes back, `public.py` decides at the socket where it may lead,
`permit.py` and `leave.py` at the last moment whether, and `patience.py` how often. `origin.py` and `http1.py` are the same for
an address of the operator's that is asked all day.
"""
