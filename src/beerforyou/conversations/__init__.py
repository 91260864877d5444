"""Messages, in the order in which they were said, and what a conversation remembers of them."""
