-- A receiver's word to stop is kept, and so is whether it is slow.

SET ROLE bfy_owner;

ALTER TABLE core.webhooks
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN slow boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN core.webhooks.ended_at IS 'When its receiver answered 410; it gets nothing more.';
COMMENT ON COLUMN core.webhooks.slow IS 'Its last attempt took long: it is sent to in places apart, where it delays no other.';
-- From one webhook with something to send to the next, and in each by time.
CREATE INDEX webhook_messages_waiting ON core.webhook_messages (webhook_id, due_at) WHERE status = 'waiting';
DROP INDEX core.webhook_messages_due;

RESET ROLE;
