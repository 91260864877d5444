"""Messages, in the order in which they were said: accepted, read, remembered, and answered by the bot or by a person. What
clients think of an answer belongs here, once they are asked for it.
"""
