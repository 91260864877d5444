"""The planner that needs no model: it plans by what the reading found, makes SQL of a question, and words results."""
