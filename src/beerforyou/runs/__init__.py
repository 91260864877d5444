"""What is written and read of a run, and nothing of what it is about: this room knows no model and no tool."""
