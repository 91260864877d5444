"""The planner that needs no model: it plans by what the reading found, writes SQL of a question's slots, words results."""
