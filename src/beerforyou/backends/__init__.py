"""What a URL may name: Valkey, the queue of waiting runs, and what is published. Postgres is in `db/`."""
