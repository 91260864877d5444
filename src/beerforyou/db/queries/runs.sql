-- name: accept
-- A message and its queued run, one item an asker; says whether client and conversation are known to us.
WITH asked AS MATERIALIZED (
    SELECT item, client_id, text, conversation_id IS NULL AS is_new,
           coalesce(conversation_id, uuidv7()) AS conversation_id, uuidv7() AS run_id,
           string_to_array(scopes, ' ') AS scopes
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
        WITH ORDINALITY AS t (client_id, conversation_id, text, scopes, item)
), checked AS MATERIALIZED (
    SELECT asked.*,
           EXISTS (SELECT FROM clients WHERE clients.client_id = asked.client_id) AS client_known,
           is_new OR EXISTS (
               SELECT FROM conversations c
               WHERE c.conversation_id = asked.conversation_id AND c.client_id = asked.client_id
           ) AS conversation_known
    FROM asked
), opened AS (
    INSERT INTO conversations (conversation_id, client_id)
    SELECT conversation_id, client_id FROM checked WHERE client_known AND is_new
), queued AS (
    INSERT INTO runs (run_id, conversation_id, client_id, scopes)
    SELECT run_id, conversation_id, client_id, scopes FROM checked WHERE client_known AND conversation_known
), said AS (
    INSERT INTO messages (message_id, conversation_id, client_id, run_id, role, text)
    SELECT uuidv7(), conversation_id, client_id, run_id, 'client', text
    FROM checked WHERE client_known AND conversation_known
)
SELECT item, run_id, conversation_id, client_known, conversation_known FROM checked;

-- name: claim
-- Takes a queued run, or one whose worker gave no sign of life, under a higher fencing number; says how far it got.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::float8[]) WITH ORDINALITY AS t (run_id, worker, lease_s, item)
)
UPDATE runs
SET status = 'running', worker = wanted.worker, fence = runs.fence + 1,
    lease_until = now() + make_interval(secs => wanted.lease_s), started_at = coalesce(started_at, now())
FROM wanted
WHERE runs.run_id = wanted.run_id
  AND (status = 'queued' OR (status = 'running' AND lease_until < now()))
RETURNING wanted.item, runs.run_id, runs.client_id, runs.conversation_id, runs.fence,
    coalesce((SELECT max(seq) FROM run_steps s WHERE s.run_id = runs.run_id), 0) AS steps,
    coalesce((SELECT max(seq) FROM run_events e WHERE e.run_id = runs.run_id), 0) AS events;

-- name: renew
-- A sign of life for each run that a worker works on, one item a run.
WITH held AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::float8[]) WITH ORDINALITY AS t (run_id, worker, lease_s, item)
)
UPDATE runs SET lease_until = now() + make_interval(secs => held.lease_s)
FROM held
WHERE runs.run_id = held.run_id AND runs.worker = held.worker AND status = 'running'
RETURNING held.item;

-- name: waiting
-- Open runs that nobody works on, oldest first: at most $1.
SELECT run_id FROM runs
WHERE status = 'queued' OR (status = 'running' AND lease_until < now())
ORDER BY created_at
LIMIT $1;

-- name: record
-- A finished step (or none) and the events that it made, if the worker still holds the run.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[])
        WITH ORDINALITY AS t (run_id, fence, step, events, item)
), held AS (
    SELECT wanted.*, runs.client_id FROM wanted
    JOIN runs ON runs.run_id = wanted.run_id AND runs.fence = wanted.fence AND runs.status = 'running'
), stepped AS (
    INSERT INTO run_steps (run_id, client_id, seq, kind, name, input, output, labels, versions, usage, ms)
    SELECT held.run_id, held.client_id, s.seq, s.kind, s.name, s.input, s.output, s.labels, s.versions, s.usage, s.ms
    FROM held CROSS JOIN LATERAL jsonb_to_record(held.step)
        AS s (seq int, kind text, name text, input jsonb, output jsonb, labels text[], versions jsonb, usage jsonb, ms real)
    WHERE held.step IS NOT NULL
    ON CONFLICT (run_id, seq) DO NOTHING
), logged AS (
    INSERT INTO run_events (run_id, client_id, seq, type, data)
    SELECT held.run_id, held.client_id, e.seq, e.type, e.data
    FROM held CROSS JOIN LATERAL jsonb_to_recordset(held.events) AS e (seq int, type text, data jsonb)
    ON CONFLICT (run_id, seq) DO NOTHING
)
SELECT item FROM held;

-- name: finish
-- The end of a run, all of it: answer, labels, usage, decisions and last events, if the worker still holds it.
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[])
        WITH ORDINALITY AS t (run_id, fence, answer, events, item)
), closed AS (
    UPDATE runs
    SET status = a.status, outcome = a.outcome, labels = a.labels, versions = a.versions, usage = a.usage,
        decisions = a.decisions, finished_at = now(), worker = NULL, lease_until = NULL
    FROM wanted CROSS JOIN LATERAL jsonb_to_record(wanted.answer)
        AS a (status text, outcome text, labels text[], versions jsonb, usage jsonb, decisions jsonb)
    WHERE runs.run_id = wanted.run_id AND runs.fence = wanted.fence AND runs.status = 'running'
    RETURNING wanted.item, wanted.answer, wanted.events, runs.run_id, runs.client_id, runs.conversation_id
), said AS (
    INSERT INTO messages (message_id, conversation_id, client_id, run_id, role, text, blocks, context)
    SELECT uuidv7(), conversation_id, client_id, run_id, 'assistant', answer ->> 'text', answer -> 'blocks', answer -> 'context'
    FROM closed
), logged AS (
    INSERT INTO run_events (run_id, client_id, seq, type, data)
    SELECT closed.run_id, closed.client_id, e.seq, e.type, e.data
    FROM closed CROSS JOIN LATERAL jsonb_to_recordset(closed.events) AS e (seq int, type text, data jsonb)
    ON CONFLICT (run_id, seq) DO NOTHING
)
SELECT item FROM closed;

-- name: turn
-- All that a worker needs to start on run $2: the question, the client's place and language, and at most $3 earlier
-- messages, of turns that succeeded.
SELECT asked.text, r.scopes, c.name, c.city, c.state, c.country, c.language, earlier.messages
FROM runs r
JOIN messages asked ON asked.run_id = r.run_id AND asked.role = 'client' AND asked.client_id = me.client_id
JOIN clients c ON c.client_id = me.client_id
CROSS JOIN LATERAL (
    SELECT jsonb_agg(m ORDER BY m.created_at, m.role DESC) AS messages
    FROM (
        SELECT said.role, said.text, said.context, said.created_at
        FROM messages said JOIN runs USING (run_id)
        WHERE said.client_id = me.client_id AND said.conversation_id = r.conversation_id
          AND runs.status = 'succeeded' AND said.created_at <= asked.created_at
        ORDER BY said.created_at DESC, said.role
        LIMIT $3
    ) m
) earlier
WHERE r.run_id = $2 AND r.client_id = me.client_id;

-- name: run
-- One run with its answer.
SELECT r.run_id, r.conversation_id, r.status, r.outcome, r.labels, r.versions, r.usage, r.decisions,
       r.created_at, r.started_at, r.finished_at, said.text, said.blocks
FROM runs r
LEFT JOIN messages said ON said.run_id = r.run_id AND said.role = 'assistant' AND said.client_id = me.client_id
WHERE r.run_id = $2 AND r.client_id = me.client_id;

-- name: steps
-- The ledger of a run.
SELECT seq, kind, name, input, output, labels, versions, usage, ms FROM run_steps
WHERE run_id = $2 AND client_id = me.client_id
ORDER BY seq;

-- name: events
-- The committed events of a run after number $3.
SELECT seq, type, data FROM run_events
WHERE run_id = $2 AND client_id = me.client_id AND seq > $3
ORDER BY seq;

-- name: conversation
-- The messages of a conversation, oldest first; a conversation without messages does not exist.
SELECT m.message_id, m.run_id, m.role, m.text, m.blocks, m.created_at FROM messages m
WHERE m.conversation_id = $2 AND m.client_id = me.client_id
ORDER BY m.created_at, m.role DESC;
