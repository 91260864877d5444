-- Roles, the caller's identity, and the tables. Row-level security is forced on every table that holds a
-- client's data; a role without a policy sees nothing, the owner included.
--
--   bfy_owner     owns everything, cannot log in
--   bfy_operator  cannot log in; `load` and `catalogue sync` take it on: clients, purchases, catalogue
--   bfy_service   login of API and workers: runs, messages, events; never a purchase
--   bfy_client    login for reads on behalf of one client, who is named by authz.enter() in the same transaction

DO $$
DECLARE wanted text;
BEGIN
    -- Roles belong to the server, not to the database: another database on it may have made them already.
    FOREACH wanted IN ARRAY ARRAY['bfy_owner', 'bfy_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', wanted);
        END IF;
    END LOOP;
    FOREACH wanted IN ARRAY ARRAY['bfy_service', 'bfy_client'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', wanted);
        END IF;
        EXECUTE format('ALTER ROLE %I SET search_path = core', wanted);
    END LOOP;
    ALTER ROLE bfy_client SET default_transaction_read_only = on;
    ALTER ROLE bfy_client SET statement_timeout = '2s';
    ALTER ROLE bfy_service SET statement_timeout = '10s';
    EXECUTE format('GRANT bfy_owner, bfy_operator TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO bfy_service, bfy_client', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO bfy_operator', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO bfy_owner', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

SET ROLE bfy_owner;
CREATE SCHEMA authz;
CREATE SCHEMA core;
GRANT USAGE ON SCHEMA core TO bfy_operator, bfy_service, bfy_client;
GRANT USAGE ON SCHEMA authz TO bfy_client;

-- Identity --------------------------------------------------------------------------------------------------------

CREATE FUNCTION authz.enter(client text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('bfy.client', true), '') <> '' THEN
        RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'a client has already entered this transaction';
    END IF;
    RETURN set_config('bfy.client', client, true);
END $$;
COMMENT ON FUNCTION authz.enter IS 'Names the client on whose behalf this transaction reads; once, and until it ends.';

-- STABLE, never IMMUTABLE: a plan cached for one client must not serve the next.
CREATE FUNCTION authz.client_id() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT nullif(current_setting('bfy.client', true), '') $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA authz FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA authz TO bfy_client;

-- The catalogue: public, without row-level security -------------------------------------------------------------

CREATE TABLE core.catalogue_versions (
    version bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    synced_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL,
    sha256 text NOT NULL,
    added int NOT NULL,
    changed int NOT NULL,
    closed int NOT NULL,
    total int NOT NULL
);

CREATE TABLE core.breweries (
    brewery_id text PRIMARY KEY,
    name text NOT NULL,
    brewery_type text NOT NULL,
    city text NOT NULL,
    state text NOT NULL,
    country text NOT NULL,
    address text NOT NULL,
    postal_code text NOT NULL,
    phone text NOT NULL,
    website text NOT NULL,
    latitude double precision,
    longitude double precision,
    gone boolean NOT NULL DEFAULT false,
    since bigint NOT NULL,
    changed bigint NOT NULL
);
COMMENT ON COLUMN core.breweries.gone IS 'No longer in the source. Kept, because purchases point here; never recommended.';

CREATE TABLE core.brewery_aliases (
    brewery_id text NOT NULL REFERENCES core.breweries,
    alias text NOT NULL,
    PRIMARY KEY (brewery_id, alias)
);

-- Clients and what they buy ---------------------------------------------------------------------------------------

CREATE TABLE core.clients (
    client_id text PRIMARY KEY,
    name text NOT NULL,
    city text NOT NULL,
    state text NOT NULL,
    country text NOT NULL,
    postal_code text NOT NULL,
    language text NOT NULL CHECK (language IN ('pt', 'en')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE core.beers (
    beer_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    style text NOT NULL,
    brewery_name text NOT NULL,
    brewery_city text NOT NULL,
    brewery_state text NOT NULL,
    brewery_id text REFERENCES core.breweries,
    brewery_type text NOT NULL DEFAULT '',
    UNIQUE (name, brewery_name, brewery_city, brewery_state)
);

CREATE TABLE core.purchases (
    client_id text NOT NULL REFERENCES core.clients,
    purchase_id text NOT NULL,
    purchased_on date NOT NULL,
    beer_id bigint NOT NULL REFERENCES core.beers,
    quantity int NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2) NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (client_id, purchase_id)
);
-- Begins with client_id, as every index on a client's rows must: or timing tells who exists.
CREATE INDEX purchases_by_day ON core.purchases (client_id, purchased_on);

CREATE TABLE core.profiles (
    client_id text PRIMARY KEY REFERENCES core.clients,
    version text NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    data jsonb NOT NULL
);

-- Conversations and runs ------------------------------------------------------------------------------------------

CREATE TABLE core.conversations (
    conversation_id uuid PRIMARY KEY,
    client_id text NOT NULL REFERENCES core.clients,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversations_of_client ON core.conversations (client_id, created_at);

CREATE TABLE core.runs (
    run_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES core.conversations,
    client_id text NOT NULL REFERENCES core.clients,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    outcome text,
    fence int NOT NULL DEFAULT 0,
    worker text,
    lease_until timestamptz,
    labels text[] NOT NULL DEFAULT '{}',
    versions jsonb NOT NULL DEFAULT '{}',
    usage jsonb NOT NULL DEFAULT '{}',
    decisions jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX runs_of_client ON core.runs (client_id, created_at);
CREATE INDEX runs_open ON core.runs (created_at) WHERE status IN ('queued', 'running');
COMMENT ON COLUMN core.runs.fence IS 'Raised by each claim; a worker whose number is lower can write nothing any more.';

CREATE TABLE core.messages (
    message_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES core.conversations,
    client_id text NOT NULL,
    run_id uuid NOT NULL REFERENCES core.runs,
    role text NOT NULL CHECK (role IN ('client', 'assistant')),
    text text NOT NULL,
    blocks jsonb NOT NULL DEFAULT '[]',
    context jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_of_conversation ON core.messages (client_id, conversation_id, created_at);
CREATE INDEX messages_of_run ON core.messages (run_id);
COMMENT ON COLUMN core.messages.context IS 'Of an assistant message: what the next message may lean on (reading.Context).';

CREATE TABLE core.run_steps (
    run_id uuid NOT NULL REFERENCES core.runs,
    seq int NOT NULL,
    client_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('model', 'tool')),
    name text NOT NULL,
    input jsonb NOT NULL,
    output jsonb NOT NULL,
    labels text[] NOT NULL,
    versions jsonb NOT NULL,
    usage jsonb NOT NULL,
    ms real NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, seq)
);

CREATE TABLE core.run_events (
    run_id uuid NOT NULL REFERENCES core.runs,
    seq int NOT NULL,
    client_id text NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, seq)
);

-- Who sees which rows ---------------------------------------------------------------------------------------------

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['clients', 'purchases', 'profiles', 'conversations', 'runs', 'messages', 'run_steps', 'run_events'] LOOP
        EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE core.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_rows ON core.%I FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()))', t);
        EXECUTE format('GRANT SELECT ON core.%I TO bfy_client', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['clients', 'purchases', 'profiles'] LOOP
        EXECUTE format('CREATE POLICY operator_rows ON core.%I TO bfy_operator USING (true) WITH CHECK (true)', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['conversations', 'runs', 'messages', 'run_steps', 'run_events'] LOOP
        EXECUTE format('CREATE POLICY service_rows ON core.%I TO bfy_service USING (true) WITH CHECK (true)', t);
        EXECUTE format('GRANT SELECT, INSERT ON core.%I TO bfy_service', t);
    END LOOP;
END $$;

GRANT SELECT ON core.catalogue_versions, core.breweries, core.brewery_aliases TO bfy_service, bfy_client;
GRANT SELECT ON core.beers TO bfy_client;
GRANT SELECT, INSERT, UPDATE, DELETE ON core.catalogue_versions, core.breweries, core.brewery_aliases,
    core.clients, core.beers, core.purchases, core.profiles TO bfy_operator;
GRANT UPDATE ON core.runs TO bfy_service;

-- The service must know that a client exists, and nothing else of it.
CREATE POLICY service_rows ON core.clients FOR SELECT TO bfy_service USING (true);
GRANT SELECT (client_id) ON core.clients TO bfy_service;

RESET ROLE;
