-- name: cancel
-- Asks for the end of a run, one item a caller; `status` is how it had ended before, none when there is no such run of the
-- client's.
WITH asked AS MATERIALIZED (
    SELECT t.*, CASE WHEN r.status IN ('queued', 'running') THEN 'cancelling' ELSE r.status END AS status FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bytea[])
        WITH ORDINALITY AS t (client_id, run_id, key, request, item)
    LEFT JOIN runs r ON r.run_id = t.run_id AND r.client_id = t.client_id
), keyed AS MATERIALIZED (
    SELECT asked.*, core.once(client_id, key, request, CASE WHEN status IS NOT NULL THEN
        jsonb_build_object('status', status) END) AS earlier
    FROM asked
), marked AS (
    UPDATE runs SET cancel_at = now() FROM keyed
    WHERE runs.run_id = keyed.run_id AND runs.client_id = keyed.client_id AND keyed.earlier IS NULL
      AND runs.status IN ('queued', 'running') AND runs.cancel_at IS NULL
)
SELECT item, status, earlier FROM keyed;

-- name: claim
-- Takes a run that is queued, or whose worker is gone, when it is its turn in its conversation.
-- Whoever claims is alive. A run that changed hands after it was `seen` has another fencing token, and is not taken.
-- One has begun when its first event is written; until then it waits, however often it was taken.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::float8[]) WITH ORDINALITY AS t (run_id, worker, lease_s, item)
), alive AS (
    INSERT INTO workers (worker, lease_until)
    SELECT DISTINCT worker, now() + make_interval(secs => lease_s) FROM wanted
    ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until
), seen AS MATERIALIZED (
    SELECT wanted.*, r.fencing_token, r.status, r.status = 'running' AS lost,
           r.fencing_token > 0 AND EXISTS (SELECT FROM events e WHERE e.run_id = r.run_id) AS begun
    FROM wanted JOIN runs r USING (run_id)
    WHERE (r.status = 'queued' OR r.status = 'running' AND NOT EXISTS (
            SELECT FROM workers w WHERE w.worker = r.worker AND w.lease_until > now()))
      AND NOT EXISTS (
            SELECT FROM runs other WHERE other.client_id = r.client_id AND other.conversation_id = r.conversation_id
              AND other.run_id <> r.run_id
              AND (other.status = 'running' OR other.status = 'queued' AND other.run_id < r.run_id))
)
UPDATE runs
SET status = 'running', worker = seen.worker, fencing_token = runs.fencing_token + 1,
    started_at = coalesce(CASE WHEN seen.begun THEN runs.started_at END, now()),
    crashes = runs.crashes + (seen.lost AND seen.begun)::int,
    false_starts = runs.false_starts + (seen.lost AND NOT seen.begun)::int
FROM seen
WHERE runs.run_id = seen.run_id AND runs.fencing_token = seen.fencing_token AND runs.status = seen.status
RETURNING seen.item, runs.run_id, runs.client_id, runs.conversation_id, runs.fencing_token,
    runs.crashes + runs.false_starts AS deaths, runs.cancel_at IS NOT NULL AS cancelled,
    extract(epoch FROM runs.started_at - runs.created_at)::float8 AS waited_s,
    (SELECT m.run_id FROM messages m
     WHERE m.client_id = runs.client_id AND m.conversation_id = runs.conversation_id AND m.role = 'assistant'
     ORDER BY m.number DESC LIMIT 1) AS previous;

-- name: heartbeat
-- Worker $1 lives for another $2 seconds, and gives the runs $3, which it could not finish, back to the queue (with the
-- fencing tokens $4; none where it does not know whether it got the run). $5 says of each whether the run is to blame, rather
-- than what it waited for. Returns those of its runs that somebody asked to cancel.
WITH alive AS (
    INSERT INTO workers (worker, lease_until) VALUES ($1, now() + make_interval(secs => $2::float8))
    ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until
), dropped AS (
    UPDATE runs
    SET status = 'queued', worker = NULL, started_at = CASE WHEN lost.begun THEN started_at END,
        crashes = crashes + (lost.blamed AND lost.begun)::int,
        false_starts = false_starts + (lost.blamed AND NOT lost.begun)::int
    FROM (
        SELECT t.*, EXISTS (SELECT FROM events e WHERE e.run_id = t.run_id) AS begun
        FROM unnest($3::uuid[], $4::int[], $5::bool[]) AS t (run_id, fencing_token, blamed)
    ) AS lost
    WHERE runs.run_id = lost.run_id AND runs.worker = $1 AND runs.status = 'running'
      AND runs.fencing_token = coalesce(lost.fencing_token, runs.fencing_token)
)
SELECT run_id FROM runs WHERE worker = $1 AND status = 'running' AND cancel_at IS NOT NULL;

-- name: leave
-- Worker $1 ends: what it still has goes back to the queue. Returns those runs.
WITH gone AS (DELETE FROM workers WHERE worker = $1)
UPDATE runs
SET status = 'queued', worker = NULL,
    started_at = CASE WHEN EXISTS (SELECT FROM events e WHERE e.run_id = runs.run_id) THEN started_at END
WHERE worker = $1 AND status = 'running' RETURNING run_id;

-- name: waiting
-- At most $1 runs that nobody works on and whose turn it is: queued for more than $2 seconds, or with a worker that is gone.
SELECT run_id FROM runs r
WHERE (status = 'queued' AND created_at < now() - make_interval(secs => $2::float8)
       OR status = 'running' AND NOT EXISTS (SELECT FROM workers w WHERE w.worker = r.worker AND w.lease_until > now()))
  AND NOT EXISTS (
        SELECT FROM runs other WHERE other.client_id = r.client_id AND other.conversation_id = r.conversation_id
          AND other.run_id <> r.run_id
          AND (other.status = 'running' OR other.status = 'queued' AND other.run_id < r.run_id))
ORDER BY created_at
LIMIT $1;

-- name: queued
-- How many runs wait for a worker; counting ends at $1.
SELECT count(*) AS runs FROM (SELECT FROM runs WHERE status = 'queued' LIMIT $1) AS first;

-- name: last_event
-- The number of the last event of run $1.
SELECT coalesce(max(seq), 0) AS seq FROM events WHERE run_id = $1;

-- name: ledger
-- What earlier workers finished of run $1. Asked after the claim, in a statement of its own: only that sees all of it.
SELECT turn, purpose, call, kind, name, input, output, outcome, labels, versions, usage, ms FROM run_steps WHERE run_id = $1 ORDER BY seq;

-- name: record
-- A finished step (or none) and the events that it made, if the worker still holds the run. A repetition changes nothing, and gets the same
-- numbers. The run is locked until the commit, so that who claims it meanwhile waits and finds the step.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[])
        WITH ORDINALITY AS t (run_id, fencing_token, step, events, item)
), talks AS MATERIALIZED (  -- all of them before a run, and in one order, as whoever else has both
    SELECT c.conversation_id FROM conversations c
    WHERE c.conversation_id IN (SELECT runs.conversation_id FROM wanted JOIN runs USING (run_id))
    ORDER BY c.conversation_id FOR NO KEY UPDATE
), held AS MATERIALIZED (
    SELECT wanted.*, runs.client_id, runs.conversation_id, runs.cancel_at FROM wanted
    JOIN runs ON runs.run_id = wanted.run_id AND runs.fencing_token = wanted.fencing_token AND runs.status = 'running'
    WHERE (SELECT count(*) FROM talks) >= 0
    FOR SHARE OF runs
), stepped AS (
    INSERT INTO run_steps (run_id, client_id, seq, turn, purpose, call, kind, name, input, output, outcome, labels, versions, usage, ms)
    SELECT held.run_id, held.client_id, s.seq, s.turn, s.purpose, s.call, s.kind, s.name, s.input, s.output, s.outcome, s.labels, s.versions, s.usage, s.ms
    FROM held CROSS JOIN LATERAL jsonb_to_record(held.step)
        AS s (seq int, turn int, purpose text, call text, kind text, name text, input jsonb, output jsonb, outcome jsonb, labels text[], versions jsonb, usage jsonb, ms real)
    WHERE held.step IS NOT NULL
    ON CONFLICT (run_id, seq) DO NOTHING
), told AS MATERIALIZED (
    SELECT h.items[t.item] AS item, t.numbers FROM (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(conversation_id ORDER BY item) AS conversations,
               array_agg(run_id ORDER BY item) AS runs, array_agg(events ORDER BY item) AS events
        FROM held WHERE events <> '[]'
    ) AS h CROSS JOIN LATERAL core.tell(h.conversations, h.runs, h.events) AS t
)
SELECT item, cancel_at IS NOT NULL AS cancelled, numbers FROM held LEFT JOIN told USING (item);

-- name: finish
-- The end of a run, all of it: answer, labels, usage, decisions, last events and outbox, if the worker still holds it.
-- Returns the run of the conversation whose turn it is then. A repetition changes nothing, and gets its row too.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[])
        WITH ORDINALITY AS t (run_id, fencing_token, answer, events, item)
), talks AS MATERIALIZED (  -- all of them before a run, and in one order, as whoever else has both
    SELECT c.conversation_id FROM conversations c
    WHERE c.conversation_id IN (SELECT runs.conversation_id FROM wanted JOIN runs USING (run_id))
    ORDER BY c.conversation_id FOR NO KEY UPDATE
), closed AS (
    UPDATE runs
    SET status = a.status, outcome = a.outcome, labels = a.labels, versions = a.versions, usage = a.usage,
        decisions = a.decisions, finished_at = now(), worker = NULL
    FROM wanted CROSS JOIN LATERAL jsonb_to_record(wanted.answer)
        AS a (status text, outcome text, labels text[], versions jsonb, usage jsonb, decisions jsonb)
    WHERE runs.run_id = wanted.run_id AND runs.fencing_token = wanted.fencing_token AND runs.status = 'running'
      AND (SELECT count(*) FROM talks) >= 0
    RETURNING wanted.item, wanted.answer, wanted.events, runs.run_id, runs.client_id, runs.conversation_id
), others AS MATERIALIZED (  -- as they are when the lock is had, which may be later than this statement saw them
    SELECT wanted.item, wanted.answer, wanted.events, runs.run_id, runs.conversation_id, runs.finished_at
    FROM wanted JOIN runs ON runs.run_id = wanted.run_id AND runs.fencing_token = wanted.fencing_token
    WHERE wanted.item <> ALL (array(SELECT item FROM closed))
    FOR SHARE OF runs
), again AS (
    SELECT * FROM others WHERE finished_at IS NOT NULL
), told AS MATERIALIZED (
    SELECT e.items[a.item] AS item, a.numbers FROM (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(conversation_id ORDER BY item) AS conversations,
               array_agg(run_id ORDER BY item) AS runs, array_agg(events ORDER BY item) AS events,
               array_agg(answer ORDER BY item) AS answers
        FROM (SELECT item, conversation_id, run_id, events, answer FROM closed
              UNION ALL SELECT item, conversation_id, run_id, events, answer FROM again) AS ended
    ) AS e CROSS JOIN LATERAL core.answer(e.conversations, e.runs, e.events, e.answers) AS a
), posted AS MATERIALIZED (
    SELECT core.post(array_agg(run_id)) FROM closed
)
SELECT item, told.numbers, (
    SELECT n.run_id FROM runs n
    WHERE n.client_id = closed.client_id AND n.conversation_id = closed.conversation_id AND n.status = 'queued'
    ORDER BY n.run_id LIMIT 1) AS next
FROM closed LEFT JOIN told USING (item) CROSS JOIN posted
UNION ALL
SELECT item, told.numbers, NULL FROM again LEFT JOIN told USING (item);

-- name: turn
-- What a worker needs to start on run $2: the question, the client's place, language and time zone, and how new what we
-- know is.
SELECT asked.text, r.scopes, c.name, c.city, c.state, c.country, c.language, c.time_zone, c.purchases_version::text AS purchases,
       left(md5(concat_ws('|', c.name, c.city, c.state, c.country, c.postal_code)), 12) AS home,
       (SELECT p.version FROM profiles p WHERE p.client_id = me.client_id) AS profile,
       (SELECT e.edition::text FROM stats.edition e) AS statistics
FROM runs r
JOIN messages asked ON asked.run_id = r.run_id AND asked.role = 'client' AND asked.client_id = me.client_id
JOIN clients c ON c.client_id = me.client_id
WHERE r.run_id = $2 AND r.client_id = me.client_id;

-- name: run
-- One run with its answer.
SELECT r.run_id, r.conversation_id, r.status, r.outcome, r.labels, r.versions, r.usage, r.decisions,
       r.created_at, r.started_at, r.finished_at, r.cancel_at, r.events_expired, said.text, coalesce(said.blocks, '[]') AS blocks
FROM runs r
LEFT JOIN messages said ON said.run_id = r.run_id AND said.role = 'assistant' AND said.client_id = me.client_id
WHERE r.run_id = $2 AND r.client_id = me.client_id;

-- name: steps
-- The ledger of a run.
SELECT seq, turn, purpose, call, kind, name, input, output, labels, versions, usage, ms FROM run_steps
WHERE run_id = $2 AND client_id = me.client_id
ORDER BY seq;

-- name: events
-- The committed events of a run after number $3, and its end in any case; one row without an event if there is none.
SELECT r.finished_at IS NOT NULL AS ended, r.events_expired AS expired, e.number, e.run_id, e.seq, e.type, e.data
FROM runs r
LEFT JOIN events e ON e.run_id = r.run_id AND e.client_id = me.client_id AND (e.seq > $3 OR e.type = 'finished')
WHERE r.run_id = $2 AND r.client_id = me.client_id
ORDER BY e.seq;

-- name: missed
-- Of the runs $1, the events after the numbers $2, and their ends in any case; a row without an event where a run is there no
-- more. The numbers are those of followers, who may say what they like.
SELECT followed.item, e.number, e.run_id, e.seq, e.type, e.data
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS followed (id, after, item)
LEFT JOIN runs r ON r.run_id = followed.id
LEFT JOIN LATERAL (
    SELECT number, run_id, seq, type, data FROM events WHERE events.run_id = followed.id AND seq > followed.after
    UNION ALL
    SELECT number, run_id, seq, type, data FROM events
    WHERE r.finished_at IS NOT NULL AND events.run_id = followed.id AND seq <= followed.after AND type = 'finished'
) AS e ON true
WHERE r.run_id IS NULL OR e.number IS NOT NULL
ORDER BY followed.item, e.seq;
