"""The one way to strangers. `public.py` decides at the socket where it may lead, `leave.py` at the last moment whether."""
