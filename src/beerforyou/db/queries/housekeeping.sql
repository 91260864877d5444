-- name: expire_events
-- Takes away the events of some runs that ended more than $1 days ago.
WITH old AS MATERIALIZED (
    SELECT run_id, conversation_id FROM runs
    WHERE finished_at < now() - make_interval(secs => 86400 * $1::float8) AND NOT events_expired
    LIMIT 1000
), talks AS MATERIALIZED (
    SELECT conversation_id FROM conversations WHERE conversation_id IN (SELECT conversation_id FROM old)
    ORDER BY conversation_id FOR NO KEY UPDATE SKIP LOCKED
), marked AS (
    UPDATE runs SET events_expired = true FROM old
    WHERE runs.run_id = old.run_id AND runs.conversation_id = ANY (array(SELECT conversation_id FROM talks))
    RETURNING runs.run_id
), gone AS (
    DELETE FROM events USING marked WHERE events.run_id = marked.run_id RETURNING events.conversation_id, events.number
)
UPDATE conversations c SET events_expired = greatest(c.events_expired, last.number)
FROM (SELECT conversation_id, max(number) AS number FROM gone GROUP BY conversation_id) AS last
WHERE c.conversation_id = last.conversation_id;

-- name: expire_messages
-- Takes away some events that no run made and that are older than $1 days: what they told of is kept.
WITH old AS MATERIALIZED (
    SELECT conversation_id, number FROM events
    WHERE run_id IS NULL AND created_at < now() - make_interval(secs => 86400 * $1::float8)
    ORDER BY created_at LIMIT 1000
), talks AS MATERIALIZED (
    SELECT conversation_id FROM conversations WHERE conversation_id IN (SELECT conversation_id FROM old)
    ORDER BY conversation_id FOR NO KEY UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM events USING old
    WHERE events.conversation_id = old.conversation_id AND events.number = old.number
      AND old.conversation_id = ANY (array(SELECT conversation_id FROM talks))
    RETURNING events.conversation_id, events.number
)
UPDATE conversations c SET events_expired = greatest(c.events_expired, last.number)
FROM (SELECT conversation_id, max(number) AS number FROM gone GROUP BY conversation_id) AS last
WHERE c.conversation_id = last.conversation_id;

-- name: forget_keys
-- Forgets the idempotency keys that are older than $1 hours.
DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(secs => 3600 * $1::float8);

-- name: forget_workers
-- Forgets workers that gave no sign of life for an hour; their runs are anybody's since then.
DELETE FROM workers WHERE lease_until < now() - interval '1 hour';
