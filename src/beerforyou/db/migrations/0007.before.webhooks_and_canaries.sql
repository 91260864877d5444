-- A receiver's word to stop is kept, and so is whether it is slow; a client of the proof is known by a mark that no load
-- sets; and `load` may gather statistics of what it brought.

SET ROLE bfy_owner;

ALTER TABLE core.webhooks
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN slow boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN core.webhooks.ended_at IS 'When its receiver answered 410; it gets nothing more.';
COMMENT ON COLUMN core.webhooks.slow IS 'Its last attempt took long: it is sent to in places apart, where it delays no other.';
-- From one webhook with something to send to the next, and in each by time.
CREATE INDEX webhook_messages_waiting ON core.webhook_messages (webhook_id, due_at) WHERE status = 'waiting';
DROP INDEX core.webhook_messages_due;

ALTER TABLE core.clients ADD COLUMN canary boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN core.clients.canary IS 'Made by `prove-isolation`, which takes away these and no others.';

-- What the operator sees and takes away of conversations is a canary's, by its mark and not by its name.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['conversations', 'runs', 'messages', 'run_steps', 'run_events', 'idempotency_keys', 'webhooks', 'webhook_messages'] LOOP
        EXECUTE format(
            'ALTER POLICY canaries ON core.%I USING (client_id IN (SELECT c.client_id FROM core.clients c WHERE c.canary))', t);
    END LOOP;
END $$;

GRANT MAINTAIN ON core.clients, core.beers, core.purchases, core.profiles,
    core.catalogue_versions, core.breweries, core.brewery_aliases TO bfy_operator;

RESET ROLE;
