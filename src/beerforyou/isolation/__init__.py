"""Attacks this installation as somebody would who owns the model, or another client's token. `prove.py` is all of it on one
screen; `attack.py` is one query, `attacks.jsonl` are the queries, `canaries.py` whom they are tried on.
"""
