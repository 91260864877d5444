-- name: accept
-- A message, and its run where the bot answers; or why not: `refusal`, or what became of the key before (`earlier`).
SELECT * FROM core.accept($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: say
SELECT * FROM core.say($1, $2, $3);

-- name: hand
SELECT * FROM core.hand($1, $2, $3, $4);

-- name: rename
-- No row when the client has no such conversation.
UPDATE conversations SET title = $3 WHERE conversation_id = $1 AND client_id = $2 RETURNING conversation_id;

-- name: delete
SELECT * FROM core.delete_conversation($1, $2);

-- name: list
-- The next $4 conversations, newest first: those whose last message is older than that of conversation $3, which was at $2.
SELECT c.conversation_id, c.title, c.state, c.created_at, c.last_message_at, c.first_words
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
-- The next $4 events of a conversation after number $3; one row without an event if there is none.
SELECT c.events AS last, e.number, e.run_id, e.type, e.data
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
-- Of the conversations $1, the next $3 events after the numbers $2 of each; a row without `last` where one is there no more.
SELECT followed.item, c.events AS last, e.number, e.run_id, e.type, e.data
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS followed (id, after, item)
LEFT JOIN conversations c ON c.conversation_id = followed.id
LEFT JOIN LATERAL (
    SELECT number, run_id, type, data FROM events
    WHERE c.events > followed.after AND events.conversation_id = followed.id AND events.number > followed.after
    ORDER BY events.number
    LIMIT $3::int
) AS e ON true
WHERE c.conversation_id IS NULL OR e.number IS NOT NULL
ORDER BY followed.item, e.number;

-- name: under_way
-- The run that is worked on in conversation $2, as `runs.events` has it.
SELECT r.run_id, true AS begun, NULL::int AS last_event,
       array(SELECT l.events::text FROM ledger l WHERE l.run_id = r.run_id AND l.client_id = me.client_id ORDER BY l.seq) AS events
FROM open_runs r
WHERE r.client_id = me.client_id AND r.conversation_id = $2 AND r.status = 'running';

-- name: earlier
-- The last $3 turns of conversation $2 that succeeded, newest first.
SELECT question, blocks, context
FROM ended_runs
WHERE client_id = me.client_id AND conversation_id = $2 AND status = 'succeeded' AND answered IS NOT NULL
ORDER BY answered DESC
LIMIT $3;
