"""Reading a message without a model: intent and slots, in Portuguese and English, in under a millisecond.

Three users: the semantic cache (a hit needs equal slots), the offline planner, and the decision record (what a
rule that is independent of the model expected to be called).
"""
