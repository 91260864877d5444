-- name: rows_seen_by_nobody
-- Tables that show a row to a reader who has not entered as a client. There must be none.
SELECT name FROM (
    SELECT 'clients' AS name, EXISTS (SELECT FROM clients) AS seen
    UNION ALL SELECT 'purchases', EXISTS (SELECT FROM purchases)
    UNION ALL SELECT 'profiles', EXISTS (SELECT FROM profiles)
    UNION ALL SELECT 'conversations', EXISTS (SELECT FROM conversations)
    UNION ALL SELECT 'runs', EXISTS (SELECT FROM runs)
    UNION ALL SELECT 'messages', EXISTS (SELECT FROM messages)
    UNION ALL SELECT 'run_steps', EXISTS (SELECT FROM run_steps)
    UNION ALL SELECT 'run_events', EXISTS (SELECT FROM run_events)
) AS looked
WHERE seen;

-- name: tables_without_row_security
-- Tables with a client_id whose row-level security is off or not forced. There must be none.
SELECT c.relname AS name
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity);
