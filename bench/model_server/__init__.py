"""A simulated model server: the wire formats of Gemini, OpenAI and Anthropic, answered from a script.

It has no model in it. Tests and load runs say what it answers, how late, and with which faults; it counts and keeps
what it was asked. `server.py` is the way in.
"""
