-- name: expire_events
-- Takes away the events of some runs that ended more than $1 days ago.
WITH old AS (
    UPDATE runs SET events_expired = true WHERE run_id IN (
        SELECT run_id FROM runs
        WHERE finished_at < now() - make_interval(secs => 86400 * $1::float8) AND NOT events_expired
        LIMIT 1000 FOR UPDATE SKIP LOCKED)
    RETURNING run_id
)
DELETE FROM run_events USING old WHERE run_events.run_id = old.run_id;

-- name: forget_keys
-- Forgets the idempotency keys that are older than $1 hours.
DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(secs => 3600 * $1::float8);

-- name: forget_workers
-- Forgets workers that gave no sign of life for an hour; their runs are anybody's since then.
DELETE FROM workers WHERE lease_until < now() - interval '1 hour';
