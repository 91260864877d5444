"""The corridor from a question to its answer. `pipeline.py` is the product on one screen: read it first."""
