-- The fence, second part: laid anew by every `beerforyou db migrate`, because roles and the functions of the server are not
-- of one database's making, and a new version of PostgreSQL brings new functions. The list of functions.py comes as the
-- setting bfy.functions. Where a managed server lets nobody take functions away, the rest of the fence must carry it, and
-- does; authz.fence remembers which it is.

SET client_min_messages = error;

-- For the service, to look whether the database is of its version.
GRANT USAGE ON SCHEMA public TO bfy_service;
GRANT SELECT ON public.migrations TO bfy_service;

-- What a login of ours may do that PUBLIC no longer may. Two lists, each one statement: the catalogs' functions and relations.
DO $$
DECLARE
    trusted text := 'bfy_owner, bfy_operator, bfy_service, bfy_client, bfy_authz, bfy_stats';
    public text;
BEGIN
    IF NOT (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'pg_catalog') THEN
        RETURN;  -- a managed server: to try it all the same fills its log with tens of thousands of warnings
    END IF;
    SELECT string_agg(oid::regprocedure::text, ', ') INTO public
    FROM pg_proc
    WHERE pronamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0);
    IF public IS NOT NULL THEN
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', public, trusted);
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', public);
    END IF;

    SELECT string_agg(oid::regclass::text, ', ') INTO public
    FROM pg_class
    WHERE relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND relkind IN ('r', 'v')
      AND EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0);
    IF public IS NOT NULL THEN
        EXECUTE format('GRANT SELECT ON %s TO %s', public, trusted);
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', public);
    END IF;

    FOR public IN
        SELECT format('(%s) ON %s', string_agg(quote_ident(attname), ', '), attrelid::regclass)
        FROM pg_attribute WHERE EXISTS (SELECT FROM aclexplode(attacl) WHERE grantee = 0) GROUP BY attrelid
    LOOP
        EXECUTE format('REVOKE ALL %s FROM PUBLIC', public);
    END LOOP;

    EXECUTE format('GRANT USAGE ON LANGUAGE plpgsql, sql TO %s', trusted);
    REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
    GRANT USAGE ON LANGUAGE plpgsql TO bfy_lines;
    EXECUTE format('GRANT USAGE ON SCHEMA information_schema TO %s', trusted);
    REVOKE USAGE ON SCHEMA information_schema FROM PUBLIC;
END $$;

SET ROLE bfy_authz;
INSERT INTO authz.fence (functions, functions_revoked)
VALUES (string_to_array(current_setting('bfy.functions'), ','),
        NOT has_function_privilege('bfy_reader', 'pg_catalog.set_config(text, text, boolean)', 'EXECUTE'))
ON CONFLICT (only_row) DO UPDATE SET functions = excluded.functions, functions_revoked = excluded.functions_revoked;

-- || and string_agg() in which no text becomes longer than one that a query may hold anyway (shape.py). By themselves they make a
-- text of megabytes, in which a search cannot be interrupted.
SET ROLE bfy_lines;
CREATE OR REPLACE FUNCTION lines.joined(one text, other text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SECURITY DEFINER AS $$
BEGIN
    IF pg_catalog.length(one) OPERATOR(pg_catalog.+) pg_catalog.length(other) OPERATOR(pg_catalog.>) 4000 THEN
        RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'a joined text is too long';
    END IF;
    RETURN one OPERATOR(pg_catalog.||) other;
END $$;
COMMENT ON FUNCTION lines.joined IS 'Both, where they are short together.';

CREATE OR REPLACE FUNCTION lines.one_more(list text, value text, delimiter text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$
BEGIN
    RETURN CASE WHEN value IS NULL THEN list WHEN list IS NULL THEN value
                ELSE lines.joined(list, lines.joined(COALESCE(delimiter, ''), value)) END;
END $$;
COMMENT ON FUNCTION lines.one_more IS 'A list with one more value.';
CREATE OR REPLACE AGGREGATE lines.listed(value text, delimiter text) (SFUNC = lines.one_more, STYPE = text);
COMMENT ON AGGREGATE lines.listed(text, text) IS 'As string_agg(), where the list is short.';
REVOKE EXECUTE ON ROUTINE lines.joined, lines.one_more, lines.listed FROM PUBLIC;
GRANT EXECUTE ON ROUTINE lines.joined, lines.listed TO bfy_reader;
SET ROLE bfy_authz;

-- Operators, casts and named functions over plain values; nothing volatile, nothing that returns a set. And ours.
CREATE OR REPLACE VIEW authz.callable AS
WITH plain AS (
    SELECT ARRAY['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar', 'name', '"char"',
                 'unknown', 'date', 'time', 'timestamp', 'timestamptz', 'interval']::regtype[]::oid[] AS types
), operators AS (
    SELECT oprcode AS oid FROM pg_operator, plain
    WHERE oprname IN ('=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '%', '~~', '!~~', '~~*', '!~~*')
      AND (oprleft = 0 OR oprleft = ANY (types)) AND oprright = ANY (types)
), casts AS (
    SELECT castfunc AS oid FROM pg_cast, plain WHERE castfunc <> 0 AND castsource = ANY (types) AND casttarget = ANY (types)
), conversions AS (
    -- 1::text: with a constant, the planner calls them as functions
    SELECT unnest(ARRAY[typinput, typoutput]::oid[]) AS oid FROM pg_type, plain WHERE pg_type.oid = ANY (types)
)
SELECT p.oid, p.oid::regprocedure::text AS signature
FROM pg_proc p, plain
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provolatile IN ('i', 's') AND NOT p.proretset
  AND p.proargtypes::oid[] <@ (types || ARRAY['anyelement', 'anynonarray', 'anycompatible', '"any"', 'record', 'internal',
                                              'cstring', 'oid']::regtype[]::oid[])
  AND (p.oid IN (SELECT oid FROM operators) OR p.oid IN (SELECT oid FROM conversions) OR p.oid IN (SELECT oid FROM casts)
       OR p.proname = ANY (SELECT unnest(functions) FROM authz.fence))
  AND p.oid <> ALL (ARRAY[
      -- a session keeps every time zone that it was ever told of
      'date_trunc(text, timestamptz, text)', 'timezone(text, timestamptz)', 'timezone(text, timestamp)',
      'substring(text, text)', 'substring(text, text, text)',  -- regular expressions
      'btrim(text, text)', 'ltrim(text, text)', 'rtrim(text, text)',  -- half a minute on a long text, not to be interrupted
      -- seconds for long numbers
      'ln(numeric)', 'log(numeric)', 'log(numeric, numeric)', 'exp(numeric)', 'power(numeric, numeric)'
  ]::regprocedure[])
UNION ALL
SELECT oid, oid::regprocedure::text FROM pg_proc
WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'lines') AND proname IN ('joined', 'listed');
GRANT USAGE ON SCHEMA authz TO SESSION_USER;
GRANT SELECT ON authz.callable TO bfy_client, SESSION_USER;
RESET ROLE;

DO $$
DECLARE list text;
BEGIN
    SELECT string_agg(oid::regprocedure::text, ', ') INTO list
    FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND oid NOT IN (SELECT oid FROM authz.callable)
      AND EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 'bfy_reader'::regrole);
    IF list IS NOT NULL THEN
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM bfy_reader', list);
    END IF;
    SELECT string_agg(oid::regprocedure::text, ', ') INTO list
    FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 'bfy_lines'::regrole);
    IF list IS NOT NULL THEN
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM bfy_lines', list);
    END IF;
    SELECT string_agg(signature, ', ') INTO list FROM authz.callable WHERE NOT starts_with(signature, 'lines.');
    EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO bfy_reader', list);
END $$;

-- What lines.bfy_json() does for bfy_reader, whom a row as JSON within a row as JSON would let make a long text of a short one.
-- And what lines.joined() needs.
GRANT EXECUTE ON FUNCTION row_to_json(record), "left"(text, int), length(text), textcat(text, text), int4pl(int, int), int4gt(int, int) TO bfy_lines;

-- How much a query may cost. The planner cannot always be interrupted, so it must not try for long: a few joins in any
-- order, the rest as written. Beyond that, the text is short and flat (shape.py), and a server with a memory limit fails
-- what outgrows it. A backend whose caller is gone looks for it, and ends.
DO $$
DECLARE setting text;
BEGIN
    ALTER ROLE bfy_reader CONNECTION LIMIT 40;
    FOREACH setting IN ARRAY ARRAY[
        'search_path = own', 'default_transaction_read_only = on', 'client_min_messages = error',
        'statement_timeout = ''2s''', 'lock_timeout = ''200ms''', 'idle_in_transaction_session_timeout = ''5s''',
        'transaction_timeout = ''5s''', 'client_connection_check_interval = ''250ms''', 'standard_conforming_strings = on',
        'work_mem = ''8MB''', 'hash_mem_multiplier = 1', 'temp_file_limit = ''64MB''', 'max_parallel_workers_per_gather = 0',
        'jit = off', 'plan_cache_mode = force_generic_plan', 'random_page_cost = 1.1', 'join_collapse_limit = 4', 'from_collapse_limit = 4', 'geqo_threshold = 4',
        'geqo_effort = 1', 'geqo_pool_size = 10', 'geqo_generations = 10', 'log_parameter_max_length_on_error = 0'
    ] LOOP
        BEGIN
            EXECUTE format('ALTER ROLE bfy_reader SET %s', setting);
        EXCEPTION WHEN insufficient_privilege OR undefined_object OR invalid_parameter_value THEN
            NULL;  -- a managed server keeps temp_file_limit to itself; transaction_timeout came with version 17
        END;
    END LOOP;
END $$;
RESET client_min_messages;
