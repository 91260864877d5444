-- name: partitions
-- Makes those of the days to come, and drops those that are older than $1 days, or of the ledger than $2.
SELECT core.make_partitions(7) AS made,
       core.drop_partitions(jsonb_build_object('ended_runs', $1::int, 'said', $1::int, 'ledger', $2::int)) AS dropped;

-- name: expire_others
-- Forgets what is older than $1 days, or of the ledger than $2, and lies in the default partitions: rows of versions before,
-- and of days whose partitions were made too late. (Each condition stands twice, so that no other partition is looked at.)
WITH ended AS (
    DELETE FROM ended_runs WHERE run_id < core.uuid_at(now() - make_interval(days => $1::int + 1)) AND run_id IN (
        SELECT run_id FROM ended_runs WHERE run_id < core.uuid_at(now() - make_interval(days => $1::int + 1)) LIMIT 10000)
), steps AS (
    DELETE FROM ledger WHERE run_id < core.uuid_at(now() - make_interval(days => $2::int + 1)) AND run_id IN (
        SELECT run_id FROM ledger WHERE run_id < core.uuid_at(now() - make_interval(days => $2::int + 1)) LIMIT 10000)
)
DELETE FROM said WHERE message_id < core.uuid_at(now() - make_interval(days => $1::int + 1)) AND message_id IN (
    SELECT message_id FROM said WHERE message_id < core.uuid_at(now() - make_interval(days => $1::int + 1)) LIMIT 10000);

-- name: expire_conversations
-- Forgets conversations in which nothing was said for more than $1 days, and whose messages are gone with their partitions.
DELETE FROM conversations WHERE conversation_id IN (
    SELECT conversation_id FROM conversations c
    WHERE created_at < now() - make_interval(days => $1::int) AND last_message_at < now() - make_interval(days => $1::int + 1)
      AND NOT EXISTS (SELECT FROM open_runs o WHERE o.client_id = c.client_id AND o.conversation_id = c.conversation_id)
    LIMIT 1000);

-- name: forget_keys
-- Forgets the idempotency keys that are older than $1 hours.
DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(secs => 3600 * $1::float8);

-- name: forget_workers
-- Forgets workers that gave no sign of life for an hour; their runs are anybody's since then.
DELETE FROM workers WHERE lease_until < now() - interval '1 hour';
