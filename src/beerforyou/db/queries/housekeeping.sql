-- All but the first take away at most $1 rows of a table, and say how many; `keep_house` comes back until there are no more. They leave
-- out what somebody has locked, so that two workers do not wait for each other.

-- name: partitions
-- Makes those of the days to come, and drops those that are older than $1 days, or of the ledger than $2.
SELECT core.make_partitions(7) AS made,
       core.drop_partitions(jsonb_build_object('ended_runs', $1::int, 'said', $1::int, 'ledger', $2::int)) AS dropped;

-- name: expire_others
-- What is older than $2 days, or of the ledger than $3, and lies in the default partitions: rows of versions before,
-- and of days whose partitions were made too late. (Each condition stands twice, so that no other partition is looked at. Nobody may
-- lock these rows, so one worker at a time takes them.)
WITH mine AS MATERIALIZED (
    SELECT CASE WHEN pg_try_advisory_xact_lock(hashtextextended('housekeeping.expire_others', 0)) THEN $1::int ELSE 0 END AS most
), ended AS (
    DELETE FROM ended_runs WHERE run_id < core.uuid_at(now() - make_interval(days => $2::int + 1)) AND run_id IN (
        SELECT run_id FROM ended_runs WHERE run_id < core.uuid_at(now() - make_interval(days => $2::int + 1)) LIMIT (SELECT most FROM mine))
    RETURNING 1
), steps AS (
    DELETE FROM ledger WHERE run_id < core.uuid_at(now() - make_interval(days => $3::int + 1)) AND (run_id, seq) IN (
        SELECT run_id, seq FROM ledger WHERE run_id < core.uuid_at(now() - make_interval(days => $3::int + 1)) LIMIT (SELECT most FROM mine))
    RETURNING 1
), words AS (
    DELETE FROM said WHERE message_id < core.uuid_at(now() - make_interval(days => $2::int + 1)) AND message_id IN (
        SELECT message_id FROM said WHERE message_id < core.uuid_at(now() - make_interval(days => $2::int + 1)) LIMIT (SELECT most FROM mine))
    RETURNING 1
)
SELECT greatest((SELECT count(*) FROM ended), (SELECT count(*) FROM steps), (SELECT count(*) FROM words)) AS gone;

-- name: expire_conversations
-- Those in which nothing was said for more than $2 days, and whose messages are gone with their partitions.
WITH gone AS (
    DELETE FROM conversations WHERE conversation_id = ANY (ARRAY(
        SELECT conversation_id FROM conversations c
        WHERE conversation_id < core.uuid_at(now() - make_interval(days => $2::int + 1))
          AND last_message_at < now() - make_interval(days => $2::int + 1)
          AND NOT EXISTS (SELECT FROM open_runs o WHERE o.client_id = c.client_id AND o.conversation_id = c.conversation_id)
        ORDER BY conversation_id LIMIT $1::int FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: expire_webhook_messages
-- Those of runs that are older than $2 days: a message without its run cannot be sent.
WITH gone AS (
    DELETE FROM webhook_messages WHERE message_id = ANY (ARRAY(
        SELECT message_id FROM webhook_messages WHERE message_id < core.uuid_at(now() - make_interval(days => $2::int + 1))
        ORDER BY message_id LIMIT $1::int FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: forget_keys
-- The idempotency keys that are older than $2 hours.
WITH gone AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(secs => 3600 * $2::float8)
        LIMIT $1::int FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: forget_workers
-- Those that gave no sign of life for an hour; their runs are anybody's since then.
WITH gone AS (
    DELETE FROM workers WHERE worker = ANY (ARRAY(
        SELECT worker FROM workers WHERE lease_until < now() - interval '1 hour' LIMIT $1::int FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) AS gone FROM gone;
