"""Times and numbers in a message, each with the words that it used."""
