"""What text must be before it comes in (`incoming.py`) and before it goes out (`outgoing.py`)."""
