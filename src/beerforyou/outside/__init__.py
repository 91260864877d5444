"""The one way to strangers. `public.py` decides at the socket where it may lead, `permit.py` and `leave.py` at the last moment whether."""
