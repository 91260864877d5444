"""The buyers and what they buy: loading an operator's files, profiles made from purchases, demo clients.

Start at `load.py`.
"""
