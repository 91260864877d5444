"""Starts the servers of a fresh machine: a real PostgreSQL and a real Valkey out of packages, as an account of their own."""
