-- name: cancel
SELECT * FROM core.cancel($1, $2, $3, $4);

-- name: claim
SELECT * FROM core.claim($1, $2, $3, $4);

-- name: record
SELECT * FROM core.record($1, $2, $3, $4, $5, $6);

-- name: finish
SELECT * FROM core.finish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: afterwards
SELECT * FROM core.afterwards($1, $2, $3, $4);

-- name: heartbeat
-- Worker $1, which plans with $6, lives for another $2 seconds, and gives the runs $3, which it could not finish, back to the queue (with the
-- fencing tokens $4; none where it does not know whether it got the run). $5 says of each whether the run is to blame, rather
-- than what it waited for. One for which nothing was done waits for a worker as before. Returns those of its runs that
-- somebody asked to cancel. (Runs are locked as batches lock them, by conversation, and the worker last, as a claim does.)
WITH lost AS MATERIALIZED (
    SELECT o.run_id, lost.blamed FROM open_runs o JOIN unnest($3::uuid[], $4::int[], $5::bool[]) AS lost (run_id, fencing_token, blamed) USING (run_id)
    WHERE o.worker = $1 AND o.status = 'running' AND o.fencing_token = coalesce(lost.fencing_token, o.fencing_token)
    ORDER BY o.conversation_id, o.run_id FOR NO KEY UPDATE OF o
), dropped AS (
    UPDATE open_runs o
    SET status = 'queued', worker = NULL, crashes = o.crashes + lost.blamed::int,
        started_at = CASE WHEN EXISTS (SELECT FROM ledger l WHERE l.run_id = o.run_id) THEN o.started_at END
    FROM lost WHERE o.run_id = lost.run_id
), alive AS (
    INSERT INTO workers (worker, planner, lease_until) SELECT $1, $6::text, now() + make_interval(secs => $2::float8) FROM (SELECT count(*) FROM lost) AS first
    ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until
)
SELECT run_id FROM open_runs WHERE worker = $1 AND status = 'running' AND cancel_at IS NOT NULL;

-- name: leave
-- Worker $1 ends: what it still has goes back to the queue, as above. Returns those runs. (Its row stays for a while: another
-- with its planner is probably on the way.)
WITH held AS MATERIALIZED (
    SELECT run_id FROM open_runs WHERE worker = $1 AND status = 'running' ORDER BY conversation_id, run_id FOR NO KEY UPDATE
), gone AS (
    UPDATE workers SET lease_until = now() WHERE worker = $1 AND (SELECT count(*) FROM held) >= 0
)
UPDATE open_runs o
SET status = 'queued', worker = NULL,
    started_at = CASE WHEN EXISTS (SELECT FROM ledger l WHERE l.run_id = o.run_id) THEN o.started_at END
FROM held WHERE o.run_id = held.run_id RETURNING o.run_id;

-- name: waiting
-- At most $1 runs that nobody works on, whose turn it is and which are for the planner $3 by a lease of $4 seconds: queued for
-- more than $2 seconds, or with a worker that is gone.
SELECT run_id, planner FROM open_runs r
WHERE (status = 'queued' AND created_at < now() - make_interval(secs => $2::float8)
       OR status = 'running' AND NOT EXISTS (SELECT FROM workers w WHERE w.worker = r.worker AND w.lease_until > now()))
  AND NOT EXISTS (
        SELECT FROM open_runs other WHERE other.client_id = r.client_id AND other.conversation_id = r.conversation_id
          AND other.run_id <> r.run_id AND (other.status = 'running' OR other.run_id < r.run_id))
  AND (cancel_at IS NOT NULL OR core.is_for(r.planner, $3, $4))
ORDER BY created_at
LIMIT $1;

-- name: queued
-- How many runs wait for a worker; counting ends at $1.
SELECT count(*) AS runs FROM (SELECT FROM open_runs WHERE status = 'queued' LIMIT $1) AS first;

-- name: ledger
-- What earlier workers finished of run $1. Asked after the claim, in a statement of its own: only that sees all of it.
SELECT seq, steps, events FROM ledger WHERE run_id = $1 ORDER BY seq;

-- name: run
-- One run with its answer.
SELECT r.run_id, r.conversation_id, r.status, r.outcome, r.labels, r.versions, r.usage, r.decisions, r.planned,
       r.created_at, r.started_at, r.finished_at, r.cancel_at, r.text, r.blocks
FROM runs r
WHERE r.run_id = $2 AND r.client_id = me.client_id;

-- name: steps
-- The ledger of a run, a row each commit.
SELECT steps FROM ledger WHERE run_id = $2 AND client_id = me.client_id ORDER BY seq;

-- name: events
-- What is kept of what happened in a run: of each commit, and of its end.
SELECT r.started_at IS NOT NULL AS begun, r.last_event, r.status, r.outcome, r.text, r.blocks,
       array(SELECT l.events::text FROM ledger l WHERE l.run_id = r.run_id AND l.client_id = me.client_id ORDER BY l.seq) AS events
FROM runs r
WHERE r.run_id = $2 AND r.client_id = me.client_id;

-- name: missed
-- The same of the runs $1; a row without a status where a run is there no more.
SELECT followed.item, r.started_at IS NOT NULL AS begun, r.last_event, r.status, r.outcome, r.text, r.blocks,
       array(SELECT l.events::text FROM ledger l WHERE l.run_id = r.run_id ORDER BY l.seq) AS events
FROM unnest($1::uuid[]) WITH ORDINALITY AS followed (id, item)
LEFT JOIN runs r ON r.run_id = followed.id;

-- name: planned
-- Who planned the runs of the last $1 days, and why.
SELECT coalesce(planned ->> 'by', '') AS by, coalesce(planned ->> 'why', '') AS why, count(*) AS runs
FROM ended_runs WHERE run_id >= core.uuid_at(now() - make_interval(days => $1::int))
GROUP BY 1, 2 ORDER BY runs DESC, 1, 2;

-- name: shadows
-- What came of the runs of the last $1 days that the model planned too, with what that cost; and the newest ten that it planned otherwise.
WITH shadows AS (
    SELECT run_id, (output ->> 'same')::boolean AS same, coalesce((usage ->> 'input')::bigint, 0) AS input, coalesce((usage ->> 'output')::bigint, 0) AS output
    FROM core.run_steps WHERE purpose = 'shadow' AND run_id >= core.uuid_at(now() - make_interval(days => $1::int))
)
SELECT count(*) FILTER (WHERE same IS NOT NULL) AS compared, count(*) FILTER (WHERE NOT same) AS different, count(*) FILTER (WHERE same IS NULL) AS failed,
       coalesce(sum(input), 0)::bigint AS input, coalesce(sum(output), 0)::bigint AS output,
       array(SELECT run_id::text FROM shadows WHERE NOT same ORDER BY run_id DESC LIMIT 10) AS runs
FROM shadows;
