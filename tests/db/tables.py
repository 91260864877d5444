"""The tables that hold a client's data, for tests that look at each."""

TABLES = (
    *("clients", "purchases", "profiles", "conversations", "runs", "messages", "run_steps", "run_events"),
    *("idempotency_keys", "webhooks", "webhook_messages"),
)
