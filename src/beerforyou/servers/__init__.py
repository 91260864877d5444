"""Starts the servers of a fresh machine: a real PostgreSQL and a real Valkey out of packages, as an account that may run them. Start
with embedded.py; the other files are one job each: a server's life, how each starts, the account, the folder.
"""
