-- name: accept
-- A message, and its run where the bot answers, one item an asker; or why not: `refusal`, or what became of the key before
-- (`earlier`).
WITH asked AS MATERIALIZED (
    SELECT item, client_id, text, scopes, on_busy, key, request, most, conversation_id IS NULL AS is_new,
           coalesce(conversation_id, uuidv7()) AS conversation_id, uuidv7() AS new_run
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bytea[])
        WITH ORDINALITY AS t (client_id, conversation_id, text, scopes, on_busy, most, key, request, item)
), talks AS MATERIALIZED (
    SELECT c.conversation_id, c.client_id, c.state FROM conversations c
    WHERE (c.client_id, c.conversation_id) IN (SELECT client_id, conversation_id FROM asked WHERE NOT is_new)
    ORDER BY c.conversation_id FOR NO KEY UPDATE
), found AS MATERIALIZED (
    SELECT asked.*, talks.conversation_id IS NOT NULL OR is_new AS is_there, coalesce(talks.state, 'bot') = 'bot' AS by_bot
    FROM asked LEFT JOIN talks USING (client_id, conversation_id)
), checked AS MATERIALIZED (
    SELECT found.*, CASE WHEN by_bot THEN new_run END AS run_id, CASE
        WHEN NOT EXISTS (SELECT FROM clients c WHERE c.client_id = found.client_id) THEN 'client'
        WHEN NOT is_there THEN 'conversation'
        WHEN NOT by_bot THEN NULL
        WHEN most < row_number() OVER (PARTITION BY client_id ORDER BY item) + (
            SELECT count(*) FROM runs r WHERE r.client_id = found.client_id AND r.status IN ('queued', 'running')) THEN 'many'
        WHEN on_busy = 'reject' AND (EXISTS (
            SELECT FROM runs r WHERE r.client_id = found.client_id AND r.conversation_id = found.conversation_id
              AND r.status IN ('queued', 'running')) OR EXISTS (
            SELECT FROM asked earlier WHERE earlier.item < found.item
              AND earlier.client_id = found.client_id AND earlier.conversation_id = found.conversation_id)) THEN 'busy'
        END AS refusal
    FROM found
), keyed AS MATERIALIZED (
    SELECT checked.*, core.once(client_id, key, request, CASE WHEN refusal IS NULL THEN jsonb_build_object(
        'run_id', run_id, 'conversation_id', conversation_id,
        'status', CASE WHEN by_bot THEN 'queued' ELSE 'person' END) END) AS earlier
    FROM checked
), admitted AS (
    SELECT * FROM keyed WHERE refusal IS NULL AND earlier IS NULL
), opened AS (
    INSERT INTO conversations (conversation_id, client_id) SELECT conversation_id, client_id FROM admitted WHERE is_new
    RETURNING conversation_id
), queued AS MATERIALIZED (
    SELECT a.items[q.item] AS item, q.interrupted FROM (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(run_id ORDER BY item) AS runs,
               array_agg(conversation_id ORDER BY item) AS conversations, array_agg(client_id ORDER BY item) AS clients,
               array_agg(scopes ORDER BY item) AS scopes, array_agg(on_busy ORDER BY item) AS on_busy
        FROM admitted LEFT JOIN opened USING (conversation_id) WHERE by_bot
    ) AS a CROSS JOIN LATERAL core.enqueue(a.runs, a.conversations, a.clients, a.scopes, a.on_busy) AS q
), said AS MATERIALIZED (
    SELECT a.items[s.item] AS item, s.number, s.data FROM (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(conversation_id ORDER BY item) AS conversations,
               array_agg(run_id ORDER BY item) AS runs, array_agg('client'::text) AS roles, array_agg(text ORDER BY item) AS texts
        FROM admitted LEFT JOIN queued USING (item)
    ) AS a CROSS JOIN LATERAL core.say(a.conversations, a.runs, a.roles, a.texts) AS s
)
SELECT item, run_id, conversation_id, refusal, earlier, coalesce(interrupted, '{}') AS interrupted, number, data
FROM keyed LEFT JOIN queued USING (item) LEFT JOIN said USING (item);

-- name: say
-- An operator's message; no row when the client has no such conversation.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY AS t (client_id, conversation_id, text, item)
), talks AS MATERIALIZED (
    SELECT c.conversation_id, c.client_id FROM conversations c
    WHERE (c.client_id, c.conversation_id) IN (SELECT client_id, conversation_id FROM asked)
    ORDER BY c.conversation_id FOR NO KEY UPDATE
)
SELECT a.items[s.item] AS item, s.number, s.data FROM (
    SELECT array_agg(item ORDER BY item) AS items, array_agg(conversation_id ORDER BY item) AS conversations,
           array_agg(NULL::uuid) AS runs, array_agg('operator'::text) AS roles, array_agg(text ORDER BY item) AS texts
    FROM asked JOIN talks USING (client_id, conversation_id)
) AS a CROSS JOIN LATERAL core.say(a.conversations, a.runs, a.roles, a.texts) AS s;

-- name: hand
-- Gives a conversation to a person or to the bot; no row when the client has no such conversation. Runs that are open when a
-- person takes over are asked to end, but for `but`. `numbers` is empty when it was so before.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[])
        WITH ORDINALITY AS t (client_id, conversation_id, state, but, item)
), talks AS MATERIALIZED (
    SELECT c.conversation_id, c.client_id, c.state AS before FROM conversations c
    WHERE (c.client_id, c.conversation_id) IN (SELECT client_id, conversation_id FROM asked)
    ORDER BY c.conversation_id FOR NO KEY UPDATE
), found AS MATERIALIZED (  -- of several at once, the last counts
    SELECT DISTINCT ON (conversation_id) asked.*, before FROM asked JOIN talks USING (client_id, conversation_id)
    ORDER BY conversation_id, item DESC
), handed AS (
    UPDATE conversations c SET state = found.state FROM found
    WHERE c.conversation_id = found.conversation_id AND found.state <> found.before
    RETURNING c.conversation_id, c.state, found.item
), stopped AS MATERIALIZED (
    SELECT f.items[s.item] AS item, s.run_ids FROM (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(conversation_id ORDER BY item) AS conversations,
               array_agg(but ORDER BY item) AS but
        FROM found WHERE state = 'person'
    ) AS f CROSS JOIN LATERAL core.stop(f.conversations, f.but) AS s
), told AS MATERIALIZED (
    SELECT h.items[t.item] AS item, t.numbers FROM (
        SELECT array_agg(item ORDER BY item) AS items, array_agg(conversation_id ORDER BY item) AS conversations,
               array_agg(NULL::uuid) AS runs, array_agg(jsonb_build_array(jsonb_build_object(
                   'type', 'state', 'data', jsonb_build_object('state', state))) ORDER BY item) AS events
        FROM handed
    ) AS h CROSS JOIN LATERAL core.tell(h.conversations, h.runs, h.events) AS t
)
SELECT asked.item, told.numbers, coalesce(stopped.run_ids, '{}') AS stopped
FROM asked JOIN talks USING (client_id, conversation_id) LEFT JOIN told USING (item) LEFT JOIN stopped USING (item);

-- name: rename
-- No row when the client has no such conversation.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY AS t (client_id, conversation_id, title, item)
), talks AS MATERIALIZED (
    SELECT c.conversation_id, c.client_id FROM conversations c
    WHERE (c.client_id, c.conversation_id) IN (SELECT client_id, conversation_id FROM asked)
    ORDER BY c.conversation_id FOR NO KEY UPDATE
), last AS MATERIALIZED (  -- of several at once, the last counts
    SELECT DISTINCT ON (conversation_id) conversation_id, title FROM asked JOIN talks USING (client_id, conversation_id)
    ORDER BY conversation_id, item DESC
), renamed AS (
    UPDATE conversations c SET title = last.title FROM last WHERE c.conversation_id = last.conversation_id
)
SELECT asked.item FROM asked JOIN talks USING (client_id, conversation_id);

-- name: delete
-- All that is kept of it, and the runs of it that were open; no row when the client has no such conversation.
SELECT item, run_ids FROM core.delete_conversations($1::text[], $2::uuid[]);

-- name: list
-- The next $4 conversations, newest first: those whose last message is older than that of conversation $3, which was at $2.
SELECT c.conversation_id, c.title, c.state, c.created_at, c.last_message_at, (
    SELECT left(m.text, $5::int) FROM messages m
    WHERE m.conversation_id = c.conversation_id AND m.client_id = me.client_id ORDER BY m.number LIMIT 1) AS first_words
FROM conversations c
WHERE c.client_id = me.client_id AND ($2::timestamptz IS NULL OR (c.last_message_at, c.conversation_id) < ($2, $3::uuid))
ORDER BY c.last_message_at DESC, c.conversation_id DESC
LIMIT $4::int;

-- name: page
-- A conversation, and its last $4 messages before number $3, oldest first; one row without a message if there is none.
SELECT c.conversation_id, c.title, c.state, c.created_at, c.last_message_at, c.events AS last_event,
       m.message_id, m.number, m.run_id, m.role, m.text, m.blocks, m.created_at AS said_at
FROM conversations c
LEFT JOIN LATERAL (
    SELECT * FROM messages m
    WHERE m.conversation_id = c.conversation_id AND m.client_id = me.client_id AND m.number < $3
    ORDER BY m.number DESC
    LIMIT $4::int
) AS m ON true
WHERE c.conversation_id = $2 AND c.client_id = me.client_id
ORDER BY m.number;

-- name: events
-- The next $4 committed events of a conversation after number $3; one row without an event if there is none.
SELECT c.events AS last, c.events_expired AS expired, e.number, e.run_id, e.seq, e.type, e.data
FROM conversations c
LEFT JOIN LATERAL (
    SELECT * FROM events e
    WHERE e.conversation_id = c.conversation_id AND e.client_id = me.client_id AND e.number > $3
    ORDER BY e.number
    LIMIT $4::int
) AS e ON true
WHERE c.conversation_id = $2 AND c.client_id = me.client_id
ORDER BY e.number;

-- name: missed
-- Of the conversations $1, the next $3 events after the numbers $2 of each; a row without an event where one is there no more.
SELECT followed.item, e.number, e.run_id, e.seq, e.type, e.data
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS followed (id, after, item)
LEFT JOIN conversations c ON c.conversation_id = followed.id
LEFT JOIN LATERAL (
    SELECT number, run_id, seq, type, data FROM events
    WHERE c.events > followed.after AND events.conversation_id = followed.id AND events.number > followed.after
    ORDER BY events.number
    LIMIT $3::int
) AS e ON true
WHERE c.conversation_id IS NULL OR e.number IS NOT NULL
ORDER BY followed.item, e.number;

-- name: earlier
-- The last $3 turns of conversation $2 that succeeded, newest first.
SELECT asked.text AS question, said.text AS answer, said.blocks, said.context
FROM messages said
JOIN messages asked ON asked.run_id = said.run_id AND asked.role = 'client' AND asked.client_id = me.client_id
JOIN runs r ON r.run_id = said.run_id AND r.status = 'succeeded'
WHERE said.client_id = me.client_id AND said.conversation_id = $2 AND said.role = 'assistant'
ORDER BY said.number DESC
LIMIT $3;
