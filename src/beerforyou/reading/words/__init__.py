"""The words of a message: what is written, what it says in each language, and the names of the catalogue in it."""
