-- name: accept
-- A message and its queued run, one item an asker; or why not: `refusal`, or what became of the key before (`earlier`).
WITH asked AS MATERIALIZED (
    SELECT item, client_id, text, on_busy, key, request, most, conversation_id IS NULL AS is_new,
           coalesce(conversation_id, uuidv7()) AS conversation_id, uuidv7() AS run_id,
           string_to_array(scopes, ' ') AS scopes
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bytea[])
        WITH ORDINALITY AS t (client_id, conversation_id, text, scopes, on_busy, most, key, request, item)
), checked AS MATERIALIZED (
    SELECT asked.*, CASE
        WHEN NOT EXISTS (SELECT FROM clients c WHERE c.client_id = asked.client_id) THEN 'client'
        WHEN NOT is_new AND NOT EXISTS (
            SELECT FROM conversations c
            WHERE c.conversation_id = asked.conversation_id AND c.client_id = asked.client_id) THEN 'conversation'
        WHEN most < row_number() OVER (PARTITION BY client_id ORDER BY item) + (
            SELECT count(*) FROM runs r WHERE r.client_id = asked.client_id AND r.status IN ('queued', 'running')) THEN 'many'
        WHEN on_busy = 'reject' AND (EXISTS (
            SELECT FROM runs r WHERE r.client_id = asked.client_id AND r.conversation_id = asked.conversation_id
              AND r.status IN ('queued', 'running')) OR EXISTS (
            SELECT FROM asked earlier WHERE earlier.item < asked.item
              AND earlier.client_id = asked.client_id AND earlier.conversation_id = asked.conversation_id)) THEN 'busy'
        END AS refusal
    FROM asked
), keyed AS MATERIALIZED (
    SELECT checked.*, core.once(client_id, key, request, CASE WHEN refusal IS NULL THEN
        jsonb_build_object('run_id', run_id, 'conversation_id', conversation_id) END) AS earlier
    FROM checked
), admitted AS (
    SELECT * FROM keyed WHERE refusal IS NULL AND earlier IS NULL
), opened AS (
    INSERT INTO conversations (conversation_id, client_id) SELECT conversation_id, client_id FROM admitted WHERE is_new
), queued AS (
    INSERT INTO runs (run_id, conversation_id, client_id, scopes, cancel_at)
    SELECT run_id, conversation_id, client_id, scopes, CASE WHEN EXISTS (
        SELECT FROM admitted later WHERE later.item > admitted.item AND later.on_busy = 'interrupt'
          AND later.client_id = admitted.client_id AND later.conversation_id = admitted.conversation_id) THEN now() END
    FROM admitted
), said AS (
    INSERT INTO messages (message_id, conversation_id, client_id, run_id, role, text)
    SELECT uuidv7(), conversation_id, client_id, run_id, 'client', text FROM admitted
), locked AS MATERIALIZED (  -- in one order, so that two who interrupt each other don't wait for each other
    SELECT admitted.item, r.run_id FROM runs r JOIN admitted USING (client_id, conversation_id)
    WHERE admitted.on_busy = 'interrupt' AND r.status IN ('queued', 'running') AND r.cancel_at IS NULL
    ORDER BY r.run_id FOR NO KEY UPDATE OF r
), interrupted AS (
    UPDATE runs SET cancel_at = now() FROM locked
    WHERE runs.run_id = locked.run_id AND runs.cancel_at IS NULL
    RETURNING locked.item, runs.run_id
)
SELECT item, run_id, conversation_id, refusal, earlier,
       array(SELECT i.run_id FROM interrupted i WHERE i.item = keyed.item) AS interrupted
FROM keyed;

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
-- Whoever claims is alive. A run that changed hands after it was `seen` has another fence, and is not taken.
-- One has begun when its first event is written; until then it waits, however often it was taken.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::float8[]) WITH ORDINALITY AS t (run_id, worker, lease_s, item)
), alive AS (
    INSERT INTO workers (worker, lease_until)
    SELECT DISTINCT worker, now() + make_interval(secs => lease_s) FROM wanted
    ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until
), seen AS MATERIALIZED (
    SELECT wanted.*, r.fence, r.status, r.status = 'running' AS lost,
           r.fence > 0 AND EXISTS (SELECT FROM run_events e WHERE e.run_id = r.run_id) AS begun
    FROM wanted JOIN runs r USING (run_id)
    WHERE (r.status = 'queued' OR r.status = 'running' AND NOT EXISTS (
            SELECT FROM workers w WHERE w.worker = r.worker AND w.lease_until > now()))
      AND NOT EXISTS (
            SELECT FROM runs other WHERE other.client_id = r.client_id AND other.conversation_id = r.conversation_id
              AND other.run_id <> r.run_id
              AND (other.status = 'running' OR other.status = 'queued' AND other.run_id < r.run_id))
)
UPDATE runs
SET status = 'running', worker = seen.worker, fence = runs.fence + 1,
    started_at = coalesce(CASE WHEN seen.begun THEN runs.started_at END, now()),
    crashes = runs.crashes + (seen.lost AND seen.begun)::int,
    false_starts = runs.false_starts + (seen.lost AND NOT seen.begun)::int
FROM seen
WHERE runs.run_id = seen.run_id AND runs.fence = seen.fence AND runs.status = seen.status
RETURNING seen.item, runs.run_id, runs.client_id, runs.conversation_id, runs.fence,
    runs.crashes + runs.false_starts AS deaths, runs.cancel_at IS NOT NULL AS cancelled,
    extract(epoch FROM runs.started_at - runs.created_at)::float8 AS waited_s,
    (SELECT m.run_id FROM messages m
     WHERE m.client_id = runs.client_id AND m.conversation_id = runs.conversation_id AND m.role = 'assistant'
     ORDER BY m.created_at DESC LIMIT 1) AS previous;

-- name: heartbeat
-- Worker $1 lives for another $2 seconds, and gives the runs $3, which it could not finish, back to the queue (with the
-- fencing numbers $4; none where it does not know whether it got the run). $5 says of each whether the run is to blame, rather
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
        SELECT t.*, EXISTS (SELECT FROM run_events e WHERE e.run_id = t.run_id) AS begun
        FROM unnest($3::uuid[], $4::int[], $5::bool[]) AS t (run_id, fence, blamed)
    ) AS lost
    WHERE runs.run_id = lost.run_id AND runs.worker = $1 AND runs.status = 'running' AND runs.fence = coalesce(lost.fence, runs.fence)
)
SELECT run_id FROM runs WHERE worker = $1 AND status = 'running' AND cancel_at IS NOT NULL;

-- name: leave
-- Worker $1 ends: what it still has goes back to the queue. Returns those runs.
WITH gone AS (DELETE FROM workers WHERE worker = $1)
UPDATE runs
SET status = 'queued', worker = NULL,
    started_at = CASE WHEN EXISTS (SELECT FROM run_events e WHERE e.run_id = runs.run_id) THEN started_at END
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
SELECT coalesce(max(seq), 0) AS seq FROM run_events WHERE run_id = $1;

-- name: ledger
-- What earlier workers finished of run $1. Asked after the claim, in a statement of its own: only that sees all of it.
SELECT turn, purpose, call, kind, name, input, output, outcome, labels, versions, usage, ms FROM run_steps WHERE run_id = $1 ORDER BY seq;

-- name: record
-- A finished step (or none) and the events that it made, if the worker still holds the run. A repetition changes nothing.
-- The run is locked until the commit, so that who claims it meanwhile waits and finds the step.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[])
        WITH ORDINALITY AS t (run_id, fence, step, events, item)
), held AS (
    SELECT wanted.*, runs.client_id, runs.cancel_at FROM wanted
    JOIN runs ON runs.run_id = wanted.run_id AND runs.fence = wanted.fence AND runs.status = 'running'
    FOR SHARE OF runs
), stepped AS (
    INSERT INTO run_steps (run_id, client_id, seq, turn, purpose, call, kind, name, input, output, outcome, labels, versions, usage, ms)
    SELECT held.run_id, held.client_id, s.seq, s.turn, s.purpose, s.call, s.kind, s.name, s.input, s.output, s.outcome, s.labels, s.versions, s.usage, s.ms
    FROM held CROSS JOIN LATERAL jsonb_to_record(held.step)
        AS s (seq int, turn int, purpose text, call text, kind text, name text, input jsonb, output jsonb, outcome jsonb, labels text[], versions jsonb, usage jsonb, ms real)
    WHERE held.step IS NOT NULL
    ON CONFLICT (run_id, seq) DO NOTHING
), logged AS (
    INSERT INTO run_events (run_id, client_id, seq, type, data)
    SELECT held.run_id, held.client_id, e.seq, e.type, e.data
    FROM held CROSS JOIN LATERAL jsonb_to_recordset(held.events) AS e (seq int, type text, data jsonb)
    ON CONFLICT (run_id, seq) DO NOTHING
)
SELECT item, cancel_at IS NOT NULL AS cancelled FROM held;

-- name: finish
-- The end of a run, all of it: answer, labels, usage, decisions, last events and outbox, if the worker still holds it.
-- Returns the run of the conversation whose turn it is then. A repetition changes nothing, and gets its row too.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[])
        WITH ORDINALITY AS t (run_id, fence, answer, events, item)
), closed AS (
    UPDATE runs
    SET status = a.status, outcome = a.outcome, labels = a.labels, versions = a.versions, usage = a.usage,
        decisions = a.decisions, finished_at = now(), worker = NULL
    FROM wanted CROSS JOIN LATERAL jsonb_to_record(wanted.answer)
        AS a (status text, outcome text, labels text[], versions jsonb, usage jsonb, decisions jsonb)
    WHERE runs.run_id = wanted.run_id AND runs.fence = wanted.fence AND runs.status = 'running'
    RETURNING wanted.item, wanted.answer, wanted.events, runs.run_id, runs.client_id, runs.conversation_id
), said AS (
    INSERT INTO messages (message_id, conversation_id, client_id, run_id, role, text, blocks, context)
    SELECT uuidv7(), conversation_id, client_id, run_id, 'assistant', answer ->> 'text', answer -> 'blocks', answer -> 'context'
    FROM closed WHERE answer ->> 'text' <> ''
), logged AS (
    INSERT INTO run_events (run_id, client_id, seq, type, data)
    SELECT closed.run_id, closed.client_id, e.seq, e.type, e.data
    FROM closed CROSS JOIN LATERAL jsonb_to_recordset(closed.events) AS e (seq int, type text, data jsonb)
    ON CONFLICT (run_id, seq) DO NOTHING
), posted AS (
    INSERT INTO webhook_messages (message_id, client_id, webhook_id, run_id)
    SELECT uuidv7(), closed.client_id, w.webhook_id, closed.run_id FROM closed
    JOIN webhooks w ON w.client_id = closed.client_id AND w.ended_at IS NULL
    FOR KEY SHARE OF w  -- one that is being removed is not there any more, rather than an error
    ON CONFLICT DO NOTHING
)
SELECT item, (
    SELECT n.run_id FROM runs n
    WHERE n.client_id = closed.client_id AND n.conversation_id = closed.conversation_id AND n.status = 'queued'
    ORDER BY n.run_id LIMIT 1) AS next
FROM closed
UNION ALL
SELECT item, NULL FROM wanted JOIN runs USING (run_id) WHERE runs.fence = wanted.fence AND runs.finished_at IS NOT NULL;

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

-- name: earlier
-- The last $3 turns of conversation $2 that succeeded, newest first.
SELECT asked.text AS question, said.text AS answer, said.blocks, said.context
FROM messages said
JOIN messages asked ON asked.run_id = said.run_id AND asked.role = 'client' AND asked.client_id = me.client_id
JOIN runs r ON r.run_id = said.run_id AND r.status = 'succeeded'
WHERE said.client_id = me.client_id AND said.conversation_id = $2 AND said.role = 'assistant'
ORDER BY said.created_at DESC
LIMIT $3;

-- name: run
-- One run with its answer.
SELECT r.run_id, r.conversation_id, r.status, r.outcome, r.labels, r.versions, r.usage, r.decisions,
       r.created_at, r.started_at, r.finished_at, r.cancel_at, r.events_expired, said.text, said.blocks
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
SELECT r.finished_at IS NOT NULL AS ended, r.events_expired AS expired, e.seq, e.type, e.data
FROM runs r
LEFT JOIN run_events e ON e.run_id = r.run_id AND e.client_id = me.client_id AND (e.seq > $3 OR e.type = 'finished')
WHERE r.run_id = $2 AND r.client_id = me.client_id
ORDER BY e.seq;

-- name: missed
-- Of the runs $1, the events after the numbers $2, and their ends in any case. The numbers are those of followers, who may
-- say what they like.
SELECT followed.run_id, e.seq, e.type, e.data
FROM unnest($1::uuid[], $2::int[]) AS followed (run_id, after)
JOIN runs r ON r.run_id = followed.run_id
CROSS JOIN LATERAL (
    SELECT seq, type, data FROM run_events WHERE run_id = followed.run_id AND seq > followed.after
    UNION ALL
    SELECT seq, type, data FROM run_events
    WHERE r.finished_at IS NOT NULL AND run_id = followed.run_id AND seq <= followed.after AND type = 'finished'
) AS e
ORDER BY followed.run_id, e.seq;

-- name: conversation
-- The messages of a conversation, oldest first; a conversation without messages does not exist.
SELECT m.message_id, m.run_id, m.role, m.text, m.blocks, m.created_at FROM messages m
WHERE m.conversation_id = $2 AND m.client_id = me.client_id
ORDER BY m.created_at, m.role DESC;
