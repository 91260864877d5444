"""What the client wants, by rules; and what a message that leans on the conversation means."""
