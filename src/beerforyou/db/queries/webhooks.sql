-- name: add
-- A webhook; or why not: `refusal`, or what became of the key before (`earlier`).
WITH asked AS MATERIALIZED (
    SELECT t.*, uuidv7() AS webhook_id
    FROM (VALUES ($1::text, $2::text, $3::int, $4::text, $5::bytea)) AS t (client_id, url, most, key, request)
), checked AS MATERIALIZED (
    SELECT asked.*, CASE
        WHEN NOT EXISTS (SELECT FROM clients c WHERE c.client_id = asked.client_id) THEN 'client'
        WHEN most <= (SELECT count(*) FROM webhooks w WHERE w.client_id = asked.client_id) THEN 'many'
        END AS refusal
    FROM asked
), proposed AS MATERIALIZED (
    SELECT checked.*, CASE WHEN refusal IS NULL THEN
        jsonb_build_object('webhook_id', webhook_id, 'url', url, 'created_at', now()) END AS made
    FROM checked
), keyed AS MATERIALIZED (
    SELECT proposed.*, core.once(client_id, key, request, made) AS earlier FROM proposed
), added AS (
    INSERT INTO webhooks (webhook_id, client_id, url)
    SELECT webhook_id, client_id, url FROM keyed WHERE refusal IS NULL AND earlier IS NULL
)
SELECT refusal, earlier, made FROM keyed;

-- name: remove
-- Takes a webhook away with all its messages; no row when the client has no such webhook.
DELETE FROM webhooks WHERE webhook_id = $2 AND client_id = $1 RETURNING webhook_id;

-- name: rotate
-- The next secret of a webhook; `made` is empty when the client has no such webhook. Two at the same
-- moment are one rotation.
WITH asked AS MATERIALIZED (
    SELECT t.*, w.secret_version FROM (VALUES ($1::text, $2::uuid, $3::text, $4::bytea)) AS t (client_id, webhook_id, key, request)
    LEFT JOIN webhooks w ON w.webhook_id = t.webhook_id AND w.client_id = t.client_id
), proposed AS MATERIALIZED (
    SELECT asked.*, CASE WHEN secret_version IS NOT NULL THEN
        jsonb_build_object('secret_version', secret_version + 1, 'rotated_at', now()) END AS made
    FROM asked
), keyed AS MATERIALIZED (
    SELECT proposed.*, core.once(client_id, key, request, made) AS earlier FROM proposed
), rotated AS (
    UPDATE webhooks SET secret_version = webhooks.secret_version + 1, rotated_at = now() FROM keyed
    WHERE webhooks.webhook_id = keyed.webhook_id AND webhooks.client_id = keyed.client_id
      AND webhooks.secret_version = keyed.secret_version AND keyed.earlier IS NULL
)
SELECT earlier, made FROM keyed;

-- name: list
-- The client's webhooks, oldest first.
SELECT w.webhook_id, w.url, w.created_at, w.ended_at FROM webhooks w
WHERE w.client_id = me.client_id
ORDER BY w.created_at, w.webhook_id;

-- name: due
-- Takes messages whose time has come, for $1 seconds, and with each its run as `runs.run` shows it. There are two lanes,
-- the second for webhooks that are slow: at most $2 and $3 messages are taken for them, no client has more than $4 and $5
-- under way in each, and a slow webhook one. What the sender has under way: $6 webhooks, $7 their clients, $8 in the lane of the
-- slow, $9 for so long that the webhook counts as slow. Clients take turns, and so do the webhooks of each.
WITH RECURSIVE sending AS MATERIALIZED (
    SELECT * FROM unnest($6::uuid[], $7::text[], $8::boolean[], $9::boolean[]) AS t (webhook_id, client_id, slow, late)
), of_webhooks AS (
    SELECT webhook_id, count(*) AS messages, bool_or(late) AS late FROM sending GROUP BY 1
), of_clients AS (
    SELECT client_id, slow, count(*) AS messages FROM sending GROUP BY 1, 2
), waiting AS (
    (SELECT webhook_id FROM webhook_messages WHERE status = 'waiting' ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.webhook_id FROM webhook_messages m WHERE m.status = 'waiting' AND m.webhook_id > waiting.webhook_id
            ORDER BY m.webhook_id LIMIT 1)
    FROM waiting WHERE waiting.webhook_id IS NOT NULL
), stopped AS (  -- what was written in the moment in which the receiver said that it wants no more
    UPDATE webhook_messages m SET status = 'dead', last_error = 'the receiver answered 410 before'
    FROM waiting JOIN webhooks w USING (webhook_id)
    WHERE m.webhook_id = w.webhook_id AND w.ended_at IS NOT NULL AND m.status = 'waiting'
), lanes AS (
    SELECT w.webhook_id, w.client_id, w.slow OR coalesce(o.late, false) AS slow, coalesce(o.messages, 0) AS messages
    FROM waiting JOIN webhooks w USING (webhook_id) LEFT JOIN of_webhooks o USING (webhook_id)
    WHERE w.ended_at IS NULL
), near AS (
    SELECT l.client_id, l.slow, m.message_id, m.due_at,
           l.messages + row_number() OVER (PARTITION BY l.webhook_id ORDER BY m.due_at) AS turn
    FROM lanes l CROSS JOIN LATERAL (
        SELECT message_id, due_at FROM webhook_messages m
        WHERE m.webhook_id = l.webhook_id AND status = 'waiting' AND due_at <= now()
        ORDER BY due_at LIMIT CASE WHEN l.slow THEN 1 - least(l.messages, 1) ELSE $4::int END
    ) m
), fair AS (
    SELECT near.*, coalesce(c.messages, 0) + row_number() OVER (PARTITION BY client_id, slow ORDER BY turn, due_at) AS place
    FROM near LEFT JOIN of_clients c USING (client_id, slow)
), first AS (
    SELECT fair.*, row_number() OVER (PARTITION BY slow ORDER BY place, due_at) AS n
    FROM fair WHERE place <= CASE WHEN slow THEN $5::int ELSE $4 END
), taken AS (
    SELECT m.message_id, f.slow FROM webhook_messages m JOIN first f USING (message_id)
    WHERE n <= CASE WHEN f.slow THEN $3::int ELSE $2::int END AND m.status = 'waiting' AND m.due_at <= now()
    FOR UPDATE OF m SKIP LOCKED
), held AS (
    UPDATE webhook_messages m SET attempts = attempts + 1, due_at = now() + make_interval(secs => $1::float8)
    FROM taken WHERE m.message_id = taken.message_id
    RETURNING m.message_id, m.client_id, m.webhook_id, m.run_id, m.attempts, taken.slow
)
SELECT held.message_id, held.webhook_id, held.client_id, held.attempts, held.slow AS lane, w.slow, w.url, w.secret_version,
       w.rotated_at, r.run_id, r.conversation_id, r.status, r.outcome, r.labels, r.versions, r.usage, r.decisions, r.planned,
       r.created_at, r.started_at, r.finished_at, r.cancel_at, r.text, r.blocks
FROM held
JOIN webhooks w ON w.webhook_id = held.webhook_id
JOIN ended_runs r ON r.run_id = held.run_id;

-- name: paced
-- How a webhook was the last time, where that has changed.
WITH done AS (UPDATE webhooks SET slow = $2 WHERE webhook_id = $1 AND slow <> $2 RETURNING 1) SELECT count(*) FROM done;

-- name: delivered
-- The receiver has the message, whoever sent it.
WITH done AS (
    UPDATE webhook_messages SET status = 'delivered', delivered_at = now(), last_error = ''
    WHERE message_id = $1 AND status <> 'delivered' RETURNING 1
)
SELECT count(*) FROM done;

-- name: failed
-- Attempt $2 came to nothing: the next one is after $3 seconds, or none. What became of another attempt stays as it is.
WITH done AS (
    UPDATE webhook_messages
    SET status = CASE WHEN $3::float8 IS NULL THEN 'dead' ELSE 'waiting' END, last_error = $4,
        due_at = CASE WHEN $3 IS NULL THEN due_at ELSE now() + make_interval(secs => $3) END
    WHERE message_id = $1 AND attempts = $2 AND status = 'waiting' RETURNING 1
)
SELECT count(*) FROM done;

-- name: gone
-- The receiver wants no more messages: its webhook has ended, and this one is dead, with those that wait for the same webhook.
WITH of_webhook AS (
    SELECT webhook_id FROM webhook_messages WHERE message_id = $1
), ended AS (
    UPDATE webhooks SET ended_at = now() WHERE webhook_id IN (SELECT webhook_id FROM of_webhook) AND ended_at IS NULL
), waiting AS (
    SELECT message_id FROM webhook_messages
    WHERE webhook_id IN (SELECT webhook_id FROM of_webhook) AND status = 'waiting'
    FOR UPDATE SKIP LOCKED
), dead AS (
    UPDATE webhook_messages m SET status = 'dead', last_error = $2 FROM waiting WHERE m.message_id = waiting.message_id
    RETURNING 1
)
SELECT count(*) FROM dead;

-- name: resend
-- Messages begin anew: those of $1 that are dead or delivered, or without $1 all dead ones; of client $2 or of everybody.
-- Not those of a webhook whose receiver wants no more.
UPDATE webhook_messages m
SET status = 'waiting', attempts = 0, due_at = now(), last_error = '', delivered_at = NULL
WHERE CASE WHEN $1::uuid[] IS NULL THEN status = 'dead' ELSE status <> 'waiting' AND message_id = ANY ($1) END
  AND ($2::text IS NULL OR client_id = $2)
  AND NOT EXISTS (SELECT FROM webhooks w WHERE w.webhook_id = m.webhook_id AND w.ended_at IS NOT NULL)
RETURNING message_id;

-- name: counts
-- For the operator: the webhooks of client $1, or of everybody, and how many messages of each are where.
SELECT w.webhook_id, w.client_id, w.url, w.created_at, w.ended_at,
       count(*) FILTER (WHERE m.status = 'waiting') AS waiting,
       count(*) FILTER (WHERE m.status = 'delivered') AS delivered,
       count(*) FILTER (WHERE m.status = 'dead') AS dead
FROM webhooks w LEFT JOIN webhook_messages m USING (webhook_id)
WHERE $1::text IS NULL OR w.client_id = $1
GROUP BY w.webhook_id
ORDER BY w.client_id, w.created_at, w.webhook_id;

-- name: messages
-- For the operator: the messages with status $1 of client $2, or of everybody, newest first, at most $3.
SELECT m.message_id, m.client_id, m.webhook_id, m.run_id, w.url, m.attempts, m.created_at, m.last_error
FROM webhook_messages m JOIN webhooks w USING (webhook_id)
WHERE m.status = $1 AND ($2::text IS NULL OR m.client_id = $2)
ORDER BY m.message_id DESC
LIMIT $3;
