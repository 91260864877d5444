"""The tables that hold a client's data, for tests that look at each."""

TABLES = (
    *("clients", "purchases", "profiles", "conversations", "runs", "messages", "run_steps", "events"),
    *("idempotency_keys", "webhooks", "webhook_messages"),
)
