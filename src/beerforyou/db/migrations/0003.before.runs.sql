-- Runs that survive anything: workers and their leases, one run at a time in a conversation, cancelling, keys that make
-- a repeated request harmless, and the outbox of webhooks.

SET ROLE bfy_owner;

-- Workers and runs ------------------------------------------------------------------------------------------------

CREATE TABLE core.workers (
    worker text PRIMARY KEY,
    lease_until timestamptz NOT NULL
);
COMMENT ON TABLE core.workers IS 'One lease a worker process, for all runs that it holds; a worker that is not here has none.';

ALTER TABLE core.runs
    ADD COLUMN crashes int NOT NULL DEFAULT 0,
    ADD COLUMN cancel_at timestamptz,
    ADD COLUMN events_expired boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN core.runs.crashes IS 'Workers that held the run and died, or fell silent.';
COMMENT ON COLUMN core.runs.cancel_at IS 'When somebody asked to cancel it; its worker ends it before the next step that costs.';

ALTER TABLE core.run_steps ADD COLUMN outcome jsonb;
COMMENT ON COLUMN core.run_steps.outcome IS 'Of a tool that succeeded: what it brought besides the output, which is what the model was told.';

-- The last version let a conversation have two. Row-level security hides them from the owner too.
ALTER TABLE core.runs NO FORCE ROW LEVEL SECURITY;
UPDATE core.runs SET status = 'queued', worker = NULL WHERE status = 'running' AND EXISTS (
    SELECT FROM core.runs other
    WHERE other.conversation_id = runs.conversation_id AND other.status = 'running' AND other.run_id < runs.run_id);
ALTER TABLE core.runs FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX one_running_run ON core.runs (client_id, conversation_id) WHERE status = 'running';
CREATE INDEX runs_open_of_client ON core.runs (client_id, conversation_id, run_id) WHERE status IN ('queued', 'running');
CREATE INDEX runs_queued ON core.runs (created_at) WHERE status = 'queued';
CREATE INDEX runs_held ON core.runs (worker) WHERE status = 'running';
CREATE INDEX runs_with_events ON core.runs (finished_at) WHERE finished_at IS NOT NULL AND NOT events_expired;
DROP INDEX core.runs_open;

DROP INDEX core.messages_of_run;
CREATE UNIQUE INDEX messages_of_run ON core.messages (run_id, role);

-- A request that is repeated ----------------------------------------------------------------------------------------

CREATE TABLE core.idempotency_keys (
    client_id text NOT NULL REFERENCES core.clients,
    key text NOT NULL,
    request bytea NOT NULL,
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, key)
);
CREATE INDEX idempotency_keys_by_age ON core.idempotency_keys USING brin (created_at);
COMMENT ON COLUMN core.idempotency_keys.request IS 'A hash of method, path and body.';

-- The lock is tried, not waited for: one caller's repetition must not hold up the batch that it is in.
CREATE FUNCTION core.once(asker text, wanted text, sent bytea, proposed jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
DECLARE kept idempotency_keys;
BEGIN
    IF wanted IS NULL THEN RETURN NULL; END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended(asker || chr(10) || wanted, 0)) THEN
        RETURN jsonb_build_object('state', 'in flight');
    END IF;
    SELECT * INTO kept FROM idempotency_keys WHERE client_id = asker AND key = wanted;
    IF FOUND AND kept.request <> sent THEN RETURN jsonb_build_object('state', 'other'); END IF;
    IF FOUND THEN RETURN jsonb_build_object('state', 'same', 'answer', kept.answer); END IF;
    IF proposed IS NOT NULL THEN
        INSERT INTO idempotency_keys (client_id, key, request, answer) VALUES (asker, wanted, sent, proposed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION core.once IS
    'NULL: go ahead, and the proposed answer is kept (if there is one) with what this statement writes. Else what became of the key before.';
REVOKE EXECUTE ON FUNCTION core.once FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.once TO bfy_service;

-- Webhooks ------------------------------------------------------------------------------------------------------------

CREATE TABLE core.webhooks (
    webhook_id uuid PRIMARY KEY,
    client_id text NOT NULL REFERENCES core.clients,
    url text NOT NULL,
    secret_version int NOT NULL DEFAULT 1,
    rotated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_of_client ON core.webhooks (client_id, created_at);
COMMENT ON COLUMN core.webhooks.secret_version IS 'Secrets are derived from the key of the installation and are kept nowhere.';

CREATE TABLE core.webhook_messages (
    message_id uuid PRIMARY KEY,
    client_id text NOT NULL,
    webhook_id uuid NOT NULL REFERENCES core.webhooks ON DELETE CASCADE,
    run_id uuid NOT NULL REFERENCES core.runs,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    last_error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz
);
CREATE UNIQUE INDEX webhook_messages_once ON core.webhook_messages (client_id, webhook_id, run_id);
CREATE INDEX webhook_messages_of_webhook ON core.webhook_messages (webhook_id);
CREATE INDEX webhook_messages_of_run ON core.webhook_messages (run_id);
CREATE INDEX webhook_messages_due ON core.webhook_messages (due_at) WHERE status = 'waiting';
COMMENT ON TABLE core.webhook_messages IS 'The outbox: written with the end of the run, and sent until somebody confirms it or it is given up.';

-- Who sees which rows -------------------------------------------------------------------------------------------------

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['idempotency_keys', 'webhooks', 'webhook_messages'] LOOP
        EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE core.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_rows ON core.%I FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()))', t);
        EXECUTE format('CREATE POLICY service_rows ON core.%I TO bfy_service USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY canaries ON core.%I TO bfy_operator USING (starts_with(client_id, ''canary-''))', t);
        EXECUTE format('GRANT SELECT ON core.%I TO bfy_client', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON core.%I TO bfy_service', t);
        EXECUTE format('GRANT SELECT, DELETE ON core.%I TO bfy_operator', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON core.workers TO bfy_service;
GRANT DELETE ON core.run_events TO bfy_service;

RESET ROLE;
