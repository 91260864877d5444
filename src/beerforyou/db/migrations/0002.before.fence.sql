-- The fence around the clients' data: a signed identity, views for SQL that a model wrote, and the statistics that are
-- published of all clients. What may be executed and how much it may cost is laid anew at each migration: db/fence.sql.
--
--   bfy_authz   owns the keys and the functions that verify a token; cannot log in
--   bfy_views   owns the views of a client's own rows, and is the role whose row policy they pass; cannot log in
--   bfy_stats   reads every client's purchases to publish statistics, and owns those; cannot log in
--   bfy_reader  login for SQL that a model wrote: sees the views and nothing else

DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['bfy_authz', 'bfy_views', 'bfy_stats'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bfy_reader') THEN
        CREATE ROLE bfy_reader LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
    END IF;
    EXECUTE format('GRANT bfy_authz, bfy_views, bfy_stats TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO bfy_reader', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO bfy_authz, bfy_views, bfy_stats', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO bfy_stats', current_database());
END $$;

SET ROLE bfy_owner;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['clients', 'purchases', 'profiles', 'conversations', 'runs', 'messages', 'run_steps', 'run_events'] LOOP
        EXECUTE format('DROP POLICY own_rows ON core.%I', t);
    END LOOP;
END $$;
DROP SCHEMA authz CASCADE;
RESET ROLE;

-- Identity: `v1|key id|expiry|client as hex|HMAC-SHA256 as hex`, made by db/identity.py -----------------------------

SET ROLE bfy_authz;
CREATE SCHEMA authz;

CREATE TABLE authz.keys (
    kid text PRIMARY KEY,
    inner_pad bytea NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64),
    added_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE authz.keys IS 'Keys combined with the pads of HMAC (RFC 2104), so that sha256() is all it takes.';

CREATE FUNCTION authz.verified(token text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text[] := string_to_array(token, '|');
    key authz.keys;
BEGIN
    IF coalesce(token, '') = '' THEN RETURN NULL; END IF;
    SELECT * INTO key FROM authz.keys WHERE kid = part[2];
    IF key.kid IS NULL OR array_length(part, 1) <> 5 OR part[1] <> 'v1'
        OR encode(sha256(key.outer_pad || sha256(key.inner_pad || convert_to(array_to_string(part[1:4], '|'), 'UTF8'))), 'hex') <> part[5]
        OR part[3]::bigint < extract(epoch FROM transaction_timestamp())
    THEN
        RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'the identity is not valid, or no longer';
    END IF;
    RETURN convert_from(decode(part[4], 'hex'), 'UTF8');
END $$;

CREATE FUNCTION authz.enter(token text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE client text;
BEGIN
    IF coalesce(current_setting('bfy.token', true), '') <> '' THEN
        RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'a client has already entered this transaction';
    END IF;
    client := authz.verified(token);
    IF client IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'there is no identity';
    END IF;
    PERFORM set_config('bfy.token', token, true);
    RETURN client;
END $$;
COMMENT ON FUNCTION authz.enter IS 'Names the client on whose behalf this transaction reads; once, and until it ends.';

-- STABLE, never IMMUTABLE: a plan cached for one client must not serve the next. It verifies again, since a server may
-- not let us take set_config() away.
CREATE FUNCTION authz.client_id() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN authz.verified(current_setting('bfy.token', true));
END $$;

CREATE FUNCTION authz.backend() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_backend_pid() $$;
COMMENT ON FUNCTION authz.backend IS 'How a process finds out that a pooler stands between it and the server.';

CREATE FUNCTION authz.leave() RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_advisory_unlock_all() $$;
COMMENT ON FUNCTION authz.leave IS 'Advisory locks outlive their transaction; where SQL can take them, this gives them back.';

CREATE TABLE authz.fence (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    functions text[] NOT NULL,
    functions_revoked boolean NOT NULL
);
COMMENT ON TABLE authz.fence IS 'As it was laid last: the functions that SQL may call, and whether this server let us take away the others.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA authz FROM PUBLIC;
GRANT USAGE ON SCHEMA authz TO bfy_owner, bfy_service, bfy_client, bfy_reader, bfy_views;
GRANT EXECUTE ON FUNCTION authz.backend TO bfy_service, bfy_client, bfy_reader;
GRANT EXECUTE ON FUNCTION authz.enter, authz.client_id TO bfy_client, bfy_reader;
GRANT EXECUTE ON FUNCTION authz.client_id TO bfy_views;
GRANT EXECUTE ON FUNCTION authz.leave TO bfy_reader;
GRANT SELECT ON authz.fence TO bfy_client;
RESET ROLE;

-- Who sees which rows ---------------------------------------------------------------------------------------------

SET ROLE bfy_owner;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['clients', 'purchases', 'profiles', 'conversations', 'runs', 'messages', 'run_steps', 'run_events'] LOOP
        EXECUTE format('CREATE POLICY own_rows ON core.%I FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()))', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['clients', 'purchases'] LOOP
        EXECUTE format('CREATE POLICY own_rows_in_views ON core.%I FOR SELECT TO bfy_views USING (client_id = (SELECT authz.client_id()))', t);
        EXECUTE format('CREATE POLICY rows_to_count ON core.%I FOR SELECT TO bfy_stats USING (true)', t);
    END LOOP;
END $$;
-- What `prove-isolation` leaves behind is taken away again; of anybody else's conversations the operator sees nothing.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['conversations', 'runs', 'messages', 'run_steps', 'run_events'] LOOP
        EXECUTE format('CREATE POLICY canaries ON core.%I TO bfy_operator USING (starts_with(client_id, ''canary-''))', t);
        EXECUTE format('GRANT SELECT, DELETE ON core.%I TO bfy_operator', t);
    END LOOP;
END $$;
-- Daily loads scatter a client's rows; an index that holds what questions ask for need not visit them.
DROP INDEX core.purchases_by_day;
CREATE INDEX purchases_by_day ON core.purchases (client_id, purchased_on) INCLUDE (beer_id, quantity, unit_price);
GRANT USAGE ON SCHEMA core TO bfy_views, bfy_stats;
GRANT SELECT (client_id, name, city, state, country, postal_code) ON core.clients TO bfy_views;
GRANT SELECT (client_id, purchased_on, beer_id, quantity, unit_price) ON core.purchases TO bfy_views;
GRANT SELECT ON core.beers, core.breweries TO bfy_views, bfy_stats;
GRANT SELECT (client_id, city, state, country) ON core.clients TO bfy_stats;
GRANT SELECT (client_id, purchased_on, beer_id, quantity) ON core.purchases TO bfy_stats;
RESET ROLE;

SET ROLE bfy_owner;
ALTER TABLE core.runs ADD COLUMN scopes text[] NOT NULL DEFAULT '{profile,purchases,breweries,web}';
COMMENT ON COLUMN core.runs.scopes IS 'What the token of the one who asked allows: tools of other scopes do not exist for this run.';
RESET ROLE;

-- What SQL sees: prompts/sql.md tells it to the model ----------------------------------------------------------------

SET ROLE bfy_views;
CREATE SCHEMA own;

CREATE VIEW own.my_profile WITH (security_barrier) AS
SELECT name, city, state, country, postal_code
FROM core.clients
WHERE client_id = (SELECT authz.client_id());

-- coalesce: a beer is looked for among the client's own, never in the index of all beers, where time would tell.
CREATE VIEW own.my_purchases WITH (security_barrier) AS
SELECT p.purchased_on, coalesce(b.name, '') AS beer, b.style, coalesce(c.name, b.brewery_name) AS brewery, b.brewery_id,
       b.brewery_type AS type, coalesce(c.city, b.brewery_city) AS city, coalesce(c.state, b.brewery_state) AS state,
       p.quantity, p.unit_price, p.quantity * p.unit_price AS amount
FROM core.purchases p
JOIN core.beers b USING (beer_id)
LEFT JOIN core.breweries c ON c.brewery_id = b.brewery_id
WHERE p.client_id = (SELECT authz.client_id());

GRANT USAGE ON SCHEMA own TO bfy_reader;
GRANT SELECT ON own.my_profile, own.my_purchases TO bfy_reader;
RESET ROLE;

-- Statistics over all clients: published cells, and nothing finer ----------------------------------------------------

SET ROLE bfy_owner;
ALTER TABLE core.clients ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE core.purchases ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
GRANT SELECT (changed_at) ON core.clients, core.purchases TO bfy_stats;
RESET ROLE;

SET ROLE bfy_stats;
CREATE SCHEMA stats;

CREATE TABLE stats.secret (secret bytea NOT NULL);
INSERT INTO stats.secret
SELECT sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) FROM generate_series(1, 4);
COMMENT ON TABLE stats.secret IS 'What the noise is made from; whoever knows it can take the noise away.';

CREATE TABLE stats.published (
    country text NOT NULL,
    state text NOT NULL,
    city text NOT NULL,
    dimension text NOT NULL CHECK (dimension IN ('total', 'type', 'style', 'brewery', 'beer')),
    key text NOT NULL,
    month text NOT NULL,
    name text NOT NULL,
    brewery text NOT NULL,
    style text NOT NULL,
    type text NOT NULL,
    clients int NOT NULL,
    quantity bigint,
    period text NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (dimension, country, state, city, month, key)
);
COMMENT ON TABLE stats.published IS 'How many clients bought what, about; empty place or month: all. Explained in docs/explanation/statistics.md.';

CREATE FUNCTION stats.uniform(what text) RETURNS float8 LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (('x' || left(encode(sha256(secret || convert_to(what, 'UTF8')), 'hex'), 12))::bit(48)::bigint + 0.5) / 2 ^ 48
    FROM stats.secret
$$;
COMMENT ON FUNCTION stats.uniform IS 'A number between 0 and 1, always the same for the same text, that nobody can guess.';

CREATE FUNCTION stats.laplace(what text) RETURNS float8 LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT -sign(u) * ln(1 - 2 * abs(u)) FROM (SELECT stats.uniform(what) - 0.5 AS u) AS drawn
$$;
COMMENT ON FUNCTION stats.laplace IS 'Noise of the Laplace distribution with scale 1.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA stats FROM PUBLIC;
GRANT USAGE ON SCHEMA stats TO bfy_client;
GRANT SELECT ON stats.published TO bfy_client;
RESET ROLE;
