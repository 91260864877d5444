"""Attacks this installation as somebody would who owns the model, or another client's token. `attack.py` is one query,
`prove.py` all of it, `canaries.py` whom it is tried on; `attacks.jsonl` are the queries.
"""
