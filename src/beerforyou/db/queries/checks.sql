-- name: holes
-- Where the fence is not as it was laid, one line each; there must be none. Asked by bfy_client as nobody.
SELECT 'nobody sees rows of core.' || seen.name AS hole FROM (
    SELECT 'clients' AS name, EXISTS (SELECT FROM clients) AS rows
    UNION ALL SELECT 'purchases', EXISTS (SELECT FROM purchases)
    UNION ALL SELECT 'profiles', EXISTS (SELECT FROM profiles)
    UNION ALL SELECT 'conversations', EXISTS (SELECT FROM conversations)
    UNION ALL SELECT 'runs', EXISTS (SELECT FROM runs)
    UNION ALL SELECT 'messages', EXISTS (SELECT FROM messages)
    UNION ALL SELECT 'run_steps', EXISTS (SELECT FROM run_steps)
    UNION ALL SELECT 'events', EXISTS (SELECT FROM events)
    UNION ALL SELECT 'idempotency_keys', EXISTS (SELECT FROM idempotency_keys)
    UNION ALL SELECT 'webhooks', EXISTS (SELECT FROM webhooks)
    UNION ALL SELECT 'webhook_messages', EXISTS (SELECT FROM webhook_messages)
) AS seen WHERE seen.rows
UNION ALL
SELECT 'row-level security is not forced on core.' || c.relname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
UNION ALL
SELECT 'the policy ' || polname || ' on ' || polrelid::regclass || ' is for everybody, or for bfy_reader'
FROM pg_policy WHERE polroles && ARRAY[0, 'bfy_reader'::regrole::oid]
UNION ALL
SELECT 'a client could go past the policies of core.' || c.relname || ': it has no policy for bfy_client on client_id'
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p') AND NOT EXISTS (
    SELECT FROM pg_policy WHERE polrelid = c.oid AND polroles = ARRAY['bfy_client'::regrole::oid]
      AND pg_get_expr(polqual, polrelid) LIKE '(client_id = ( SELECT authz.client_id() AS client_id))')
UNION ALL
SELECT rolname || ' may do more than it should' FROM pg_roles
WHERE rolname LIKE 'bfy\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
UNION ALL
SELECT member::regrole || ' is a member of ' || roleid::regrole FROM pg_auth_members
WHERE member IN ('bfy_reader'::regrole, 'bfy_client'::regrole, 'bfy_service'::regrole)
UNION ALL
SELECT 'bfy_reader may read ' || c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, authz.fence
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT IN ('own', 'pg_toast')
  AND (functions_revoked OR n.nspname NOT IN ('pg_catalog', 'information_schema'))
  AND (CASE c.relkind WHEN 'S' THEN has_sequence_privilege('bfy_reader', c.oid, 'USAGE, SELECT')
       ELSE has_any_column_privilege('bfy_reader', c.oid, 'SELECT') END)
UNION ALL
SELECT 'bfy_reader may call ' || count(*) || ' functions that are not on the list, such as ' || min(p.oid::regprocedure::text)
FROM pg_proc p, authz.fence
WHERE functions_revoked AND p.pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('authz', 'lines'))
  AND has_function_privilege('bfy_reader', p.oid, 'EXECUTE') AND p.oid NOT IN (SELECT oid FROM authz.callable)
HAVING count(*) > 0
UNION ALL
SELECT 'bfy_reader has no limit called ' || wanted FROM unnest(ARRAY['statement_timeout', 'default_transaction_read_only']) AS wanted
WHERE NOT EXISTS (
    SELECT FROM pg_roles, unnest(rolconfig) AS setting WHERE rolname = 'bfy_reader' AND setting LIKE wanted || '=%')
ORDER BY 1;

-- name: ran
-- Whether all of these migrations ($1, by name) ran here.
SELECT $1::text[] <@ coalesce(array_agg(name), '{}') AS ran FROM public.migrations;

-- name: functions_revoked
-- Whether this server let us take functions away; where not, the rest of the fence carries it.
SELECT functions_revoked FROM authz.fence;

-- name: limits
-- What a query of bfy_reader is limited by, and the process that serves this one.
SELECT authz.backend() AS pid, coalesce(rolconfig, '{}') AS settings FROM pg_roles WHERE rolname = 'bfy_reader';
