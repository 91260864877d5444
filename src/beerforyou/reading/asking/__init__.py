"""The slots of a question about purchases (`question.py`), filled in a fixed order."""
