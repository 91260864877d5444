-- name: holes
-- Where the fence is not as it was laid, one line each; there must be none. Asked by bfy_client as nobody. Which tables are
-- clients' is read from the catalogs (migration 0011), and so is everything else that may come to be.
WITH relations AS (
    SELECT c.oid, c.relkind, c.relnamespace, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
           n.nspname, c.relispartition AND pg_partition_root(c.oid) IN (SELECT t.oid FROM authz.tables_of_clients t) AS part,
           n.nspname IN ('pg_catalog', 'information_schema') AS servers, pg_get_userbyid(n.nspowner) LIKE 'bfy\_%' AS ours
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\_t%'
), policies AS (
    SELECT polname, polrelid, polroles, polpermissive,
           polcmd = 'r' AND pg_get_expr(polqual, polrelid) = '(client_id = ( SELECT authz.client_id() AS client_id))' AS own_rows
    FROM pg_policy
)
SELECT 'nobody sees rows of ' || seen AS hole FROM authz.tables_with_rows() AS seen
UNION ALL
SELECT oid::regclass || ' belongs to clients, and does not say by a client_id to whom' FROM authz.tables_of_clients WHERE NOT says_whose
UNION ALL
SELECT 'row-level security is not forced on ' || oid::regclass
FROM authz.tables_of_clients JOIN relations USING (oid) WHERE NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT 'row-level security is not forced on ' || oid::regclass FROM relations WHERE part AND NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT DISTINCT grantee::regrole || ' has a right on ' || oid::regclass || ', past the policies of the table that it is a part of'
FROM relations CROSS JOIN LATERAL (
    SELECT grantee FROM aclexplode(relacl) UNION ALL SELECT a.grantee FROM pg_attribute, aclexplode(attacl) AS a WHERE attrelid = oid
) AS rights
WHERE part AND grantee NOT IN (0, relowner)
UNION ALL
SELECT 'the policy ' || polname || ' on ' || polrelid::regclass || ' is for everybody, or for a role that has none'
FROM policies WHERE polroles && ARRAY[0, 'bfy_reader'::regrole::oid, 'bfy_lines'::regrole::oid]
UNION ALL
SELECT 'a client could go past the policies of ' || oid::regclass || ': it has no policy for bfy_client on client_id'
FROM authz.tables_of_clients
WHERE NOT EXISTS (SELECT FROM policies WHERE polrelid = oid AND own_rows AND polroles = ARRAY['bfy_client'::regrole::oid])
UNION ALL
SELECT 'the policy ' || polname || ' on ' || polrelid::regclass || ' shows more than a client''s own rows'
FROM policies WHERE polpermissive AND NOT own_rows AND polroles && ARRAY['bfy_client', 'bfy_views']::regrole[]::oid[]
UNION ALL
SELECT rolname || ' may read ' || t.oid::regclass || ', where no policy is for it'
FROM authz.tables_of_clients t, pg_roles r
WHERE rolname IN ('bfy_operator', 'bfy_service', 'bfy_client', 'bfy_views', 'bfy_stats') AND has_any_column_privilege(r.oid, t.oid, 'SELECT')
  AND NOT EXISTS (SELECT FROM policies WHERE polrelid = t.oid AND r.oid = ANY (polroles))
UNION ALL
SELECT rolname || ' may do more than it should' FROM pg_roles
WHERE rolname LIKE 'bfy\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
UNION ALL
SELECT member::regrole || ' is a member of ' || roleid::regrole FROM pg_auth_members
WHERE member = ANY (ARRAY['bfy_reader', 'bfy_client', 'bfy_service', 'bfy_lines', 'bfy_views']::regrole[])
UNION ALL
SELECT 'everybody has a right on ' || oid::regclass
FROM relations WHERE ours AND EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0)
UNION ALL
SELECT 'everybody has a right on ' || attrelid::regclass || '.' || attname
FROM pg_attribute JOIN relations ON oid = attrelid WHERE ours AND EXISTS (SELECT FROM aclexplode(attacl) WHERE grantee = 0)
UNION ALL
SELECT rolname || ' may write ' || c.oid::regclass FROM relations c, pg_roles r
WHERE rolname IN ('bfy_reader', 'bfy_client', 'bfy_lines', 'bfy_views') AND c.relowner <> r.oid AND relkind <> 'S' AND NOT servers
  AND (has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE, REFERENCES') OR has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE, TRIGGER'))
UNION ALL
SELECT rolname || ' may read ' || c.oid::regclass FROM relations c, authz.fence, pg_roles r
WHERE rolname IN ('bfy_reader', 'bfy_lines') AND nspname <> 'own' AND (functions_revoked OR NOT servers)
  AND (CASE relkind WHEN 'S' THEN has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT')
       ELSE has_any_column_privilege(r.oid, c.oid, 'SELECT') END)
UNION ALL
SELECT oid::regclass || ' is not a view of bfy_views that keeps other conditions out (security_barrier)' FROM relations
WHERE nspname = 'own' AND NOT (relkind = 'v' AND relowner = 'bfy_views'::regrole AND coalesce(reloptions @> ARRAY['security_barrier=true'], false)
                               AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false))
UNION ALL
SELECT rolname || ' may read ' || c.oid::regclass || ', which row-level security does not reach' FROM relations c, pg_roles r
WHERE rolname IN ('bfy_client', 'bfy_service') AND relkind IN ('v', 'm', 'f') AND NOT servers AND ours
  AND (relkind <> 'v' OR relowner <> 'bfy_authz'::regrole AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)) AND has_any_column_privilege(r.oid, c.oid, 'SELECT')
UNION ALL
SELECT 'bfy_client may read ' || oid::regclass || ', where the service writes what clients send, without row-level security'
FROM relations
WHERE relkind IN ('r', 'p') AND NOT servers AND NOT relrowsecurity AND has_any_column_privilege('bfy_client', oid, 'SELECT')
  AND has_any_column_privilege('bfy_service', oid, 'INSERT, UPDATE')
UNION ALL
SELECT 'bfy_reader may call ' || count(*) || ' functions that are not on the list, such as ' || min(p.oid::regprocedure::text)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, authz.fence
WHERE (functions_revoked OR pg_get_userbyid(nspowner) LIKE 'bfy\_%') AND has_function_privilege('bfy_reader', p.oid, 'EXECUTE')
  AND p.oid NOT IN (SELECT oid FROM authz.callable)
  AND p.oid::regprocedure::text <> ALL (ARRAY['authz.enter(text)', 'authz.present(text)', 'authz.client_id()', 'authz.whose()', 'authz.backend()', 'authz.leave()',
                                             'lines.bfy_json(record,integer)', 'lines.of_q(integer,integer)'])
HAVING count(*) > 0
UNION ALL
SELECT p.oid::regprocedure || ' runs as ' || proowner::regrole || ', and bfy_client may call it'
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE prosecdef AND pg_get_userbyid(nspowner) LIKE 'bfy\_%' AND proowner <> 'bfy_authz'::regrole AND has_function_privilege('bfy_client', p.oid, 'EXECUTE')
UNION ALL
SELECT 'bfy_reader has no limit called ' || wanted FROM unnest(ARRAY['statement_timeout', 'default_transaction_read_only']) AS wanted
WHERE NOT EXISTS (
    SELECT FROM pg_roles, unnest(rolconfig) AS setting WHERE rolname = 'bfy_reader' AND setting LIKE wanted || '=%')
ORDER BY 1;

-- name: migrations
-- What ran here.
SELECT name, sha256 FROM public.migrations;

-- name: functions_revoked
-- Whether this server let us take functions away; where not, the rest of the fence carries it.
SELECT functions_revoked FROM authz.fence;

-- name: limits
-- What a query of bfy_reader is limited by, and the process that serves this one.
SELECT authz.backend() AS pid, coalesce(rolconfig, '{}') AS settings FROM pg_roles WHERE rolname = 'bfy_reader';

-- name: time_zone
-- What time it is in time zone $1; an error where this server does not know it.
SELECT now() AT TIME ZONE $1 AS now;

-- name: connections
-- How many connections PostgreSQL gives to logins that are no administrator's.
SELECT (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)) AS most;

-- name: planners
-- What the workers that live plan with.
SELECT DISTINCT planner FROM workers WHERE lease_until > now() AND planner IS NOT NULL ORDER BY planner;
