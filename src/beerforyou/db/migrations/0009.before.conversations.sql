-- A message and an event belong to a conversation, with or without a run, and each has its number there. Workers and
-- servers of the version before are to be stopped meanwhile: they write and read another table of events.

-- The service asks few things, each by keys and often: to plan one of its batches anew costs as much as to carry it out.
ALTER ROLE bfy_service SET plan_cache_mode = force_generic_plan;

SET ROLE bfy_owner;

ALTER TABLE core.runs RENAME COLUMN fence TO fencing_token;
COMMENT ON COLUMN core.runs.fencing_token IS 'Raised by each claim; a worker whose token is lower can write nothing any more.';
-- No query looks for a client's runs by their age; who deletes a conversation looks for its runs.
DROP INDEX core.runs_of_client;
CREATE INDEX runs_of_conversation ON core.runs (conversation_id);

ALTER TABLE core.conversations
    ADD COLUMN state text NOT NULL DEFAULT 'bot' CHECK (state IN ('bot', 'person')),
    ADD COLUMN title text NOT NULL DEFAULT '',
    ADD COLUMN last_message_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN events int NOT NULL DEFAULT 0,
    ADD COLUMN events_expired int NOT NULL DEFAULT 0;
ALTER TABLE core.conversations SET (fillfactor = 70);  -- each commit counts here, in the same page as long as there is room
COMMENT ON COLUMN core.conversations.state IS 'Who answers: the bot, or a person of the operator''s.';
COMMENT ON COLUMN core.conversations.title IS 'What the client called it, if anything.';
COMMENT ON COLUMN core.conversations.events IS 'The number of its last event. Its next ones are numbered under the lock of this row.';
COMMENT ON COLUMN core.conversations.events_expired IS 'The highest number of an event that is no longer kept.';

ALTER TABLE core.messages
    ALTER COLUMN run_id DROP NOT NULL,
    ADD COLUMN number int,
    DROP CONSTRAINT messages_role_check,
    ADD CONSTRAINT messages_role_check CHECK (role IN ('client', 'assistant', 'operator'));
COMMENT ON COLUMN core.messages.number IS 'Of the event that tells of it: messages stand in this order.';

CREATE TABLE core.events (
    conversation_id uuid NOT NULL,
    number int NOT NULL,
    client_id text NOT NULL,
    run_id uuid,
    seq int,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, number),
    CHECK ((run_id IS NULL) = (seq IS NULL))
);
COMMENT ON TABLE core.events IS 'What followers are told. `core.tell` alone writes here, while it holds the conversation, so that there is one, and its run: foreign keys would look for both at each event.';
COMMENT ON COLUMN core.events.number IS 'In the conversation: from 1 without gaps, in the order of the commits.';
COMMENT ON COLUMN core.events.seq IS 'In the run that made it, from 1 without gaps. Messages and changes of state are made by none.';

-- What is there gets its numbers by time, and within a run by its own. The owner sees no rows while security is forced.
ALTER TABLE core.conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.messages NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.run_events NO FORCE ROW LEVEL SECURITY;

CREATE TABLE core.numbered AS
WITH told AS (
    SELECT r.conversation_id, e.run_id, e.seq, e.type, e.created_at, NULL::uuid AS message_id, false AS expired
    FROM core.run_events e JOIN core.runs r USING (run_id)
    UNION ALL
    SELECT m.conversation_id, m.run_id, 0, 'message', m.created_at, m.message_id, r.events_expired
    FROM core.messages m JOIN core.runs r USING (run_id)
    WHERE m.role = 'client'
    UNION ALL
    SELECT m.conversation_id, m.run_id, 2147483647, 'answer', m.created_at, m.message_id, true
    FROM core.messages m
    WHERE m.role = 'assistant' AND NOT EXISTS (SELECT FROM core.run_events e WHERE e.run_id = m.run_id AND e.type = 'answer')
), timed AS (
    SELECT told.*, max(created_at) OVER (PARTITION BY run_id ORDER BY seq) AS at FROM told
)
SELECT conversation_id, run_id, seq, type, created_at, message_id, expired,
       row_number() OVER (PARTITION BY conversation_id ORDER BY at, run_id, seq)::int AS number
FROM timed;

INSERT INTO core.events (conversation_id, number, client_id, run_id, seq, type, data, created_at)
SELECT n.conversation_id, n.number, e.client_id, n.run_id, n.seq, n.type, e.data, n.created_at
FROM core.numbered n JOIN core.run_events e USING (run_id, seq)
UNION ALL
SELECT n.conversation_id, n.number, m.client_id, NULL, NULL, 'message', jsonb_build_object(
    'message_id', m.message_id, 'run_id', m.run_id, 'role', m.role, 'text', m.text), n.created_at
FROM core.numbered n JOIN core.messages m USING (message_id)
WHERE n.type = 'message' AND NOT n.expired;

UPDATE core.messages m SET number = n.number FROM core.numbered n WHERE n.message_id = m.message_id;
UPDATE core.messages m SET number = n.number FROM core.numbered n
WHERE m.number IS NULL AND m.role = 'assistant' AND n.run_id = m.run_id AND n.type = 'answer';
UPDATE core.conversations c
SET events = coalesce(n.last, 0), events_expired = coalesce(n.expired, 0), last_message_at = coalesce(n.said, c.created_at)
FROM core.conversations every LEFT JOIN (
    SELECT conversation_id, max(number) AS last, max(number) FILTER (WHERE expired) AS expired,
           max(created_at) FILTER (WHERE type IN ('message', 'answer')) AS said
    FROM core.numbered GROUP BY conversation_id
) AS n USING (conversation_id)
WHERE c.conversation_id = every.conversation_id;

DROP TABLE core.numbered, core.run_events;
ALTER TABLE core.conversations FORCE ROW LEVEL SECURITY;
ALTER TABLE core.runs FORCE ROW LEVEL SECURITY;
ALTER TABLE core.messages FORCE ROW LEVEL SECURITY;

ALTER TABLE core.messages ALTER COLUMN number SET NOT NULL;
DROP INDEX core.messages_of_conversation;
CREATE UNIQUE INDEX messages_of_conversation ON core.messages (conversation_id, number);
CREATE UNIQUE INDEX events_of_run ON core.events (run_id, seq);
CREATE INDEX events_of_no_run ON core.events (created_at) WHERE run_id IS NULL;
DROP INDEX core.conversations_of_client;
CREATE INDEX conversations_of_client ON core.conversations (client_id, last_message_at, conversation_id);

-- What a conversation does ---------------------------------------------------------------------------------------------

-- Each statement of a function sees what was committed before it: once the lock is had, nothing is missed.
CREATE FUNCTION core.tell(conversation_ids uuid[], run_ids uuid[], told jsonb[]) RETURNS TABLE (item bigint, numbers int[])
LANGUAGE plpgsql VOLATILE ROWS 20 SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM conversations WHERE conversation_id = ANY (conversation_ids) ORDER BY conversation_id FOR NO KEY UPDATE;
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT t.*, (SELECT max(seq) FROM events WHERE events.run_id = t.run_id) AS last
        FROM unnest(conversation_ids, run_ids, told) WITH ORDINALITY AS t (conversation_id, run_id, told, item)
    ), wanted AS MATERIALIZED (
        SELECT a.item, a.conversation_id, a.run_id, e.place, e.seq, e.type, e.data, CASE WHEN e.seq <= a.last THEN (
            SELECT known.number FROM events known WHERE known.run_id = a.run_id AND known.seq = e.seq) END AS number
        FROM asked a
        CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(a.told) AS (seq int, type text, data jsonb))
            WITH ORDINALITY AS e (seq, type, data, place)
    ), fresh AS MATERIALIZED (
        SELECT w.*, c.client_id,
               (c.events + row_number() OVER (PARTITION BY w.conversation_id ORDER BY w.item, w.place))::int AS next
        FROM wanted w JOIN conversations c USING (conversation_id)
        WHERE w.number IS NULL
    ), added AS (
        INSERT INTO events (conversation_id, number, client_id, run_id, seq, type, data)
        SELECT conversation_id, next, client_id, run_id, CASE WHEN run_id IS NOT NULL THEN seq END, type, data FROM fresh
    ), counted AS (
        UPDATE conversations c
        SET events = f.last, last_message_at = CASE WHEN f.said THEN greatest(c.last_message_at, now()) ELSE c.last_message_at END
        FROM (
            SELECT conversation_id, max(next) AS last, bool_or(type IN ('message', 'answer')) AS said
            FROM fresh GROUP BY conversation_id
        ) AS f
        WHERE c.conversation_id = f.conversation_id
    )
    SELECT w.item, array_agg(coalesce(w.number, f.next) ORDER BY w.place)
    FROM wanted w LEFT JOIN fresh f USING (item, place)
    GROUP BY w.item;
END $$;
COMMENT ON FUNCTION core.tell IS
    'Numbers events in their conversations, in the order of the commits. A run''s that are there already keep their numbers, and nothing is written.';

CREATE FUNCTION core.say(conversation_ids uuid[], run_ids uuid[], roles text[], texts text[])
RETURNS TABLE (item bigint, number int, data jsonb)
LANGUAGE plpgsql VOLATILE ROWS 20 SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH said AS MATERIALIZED (
        SELECT t.*, jsonb_build_object(
            'message_id', uuidv7(), 'run_id', t.run_id, 'role', t.role, 'text', t.text) AS data
        FROM unnest(conversation_ids, run_ids, roles, texts) WITH ORDINALITY AS t (conversation_id, run_id, role, text, item)
    ), told AS MATERIALIZED (
        SELECT t.item, t.numbers[1] AS number FROM (
            SELECT array_agg(conversation_id ORDER BY item) AS conversations, array_agg(NULL::uuid) AS runs,
                   array_agg(jsonb_build_array(jsonb_build_object('type', 'message', 'data', data)) ORDER BY item) AS events
            FROM said
        ) AS s CROSS JOIN LATERAL core.tell(s.conversations, s.runs, s.events) AS t
    ), written AS (
        INSERT INTO messages (message_id, conversation_id, client_id, run_id, role, text, number)
        SELECT (said.data ->> 'message_id')::uuid, said.conversation_id, c.client_id, said.run_id, said.role, said.text, told.number
        FROM said JOIN told USING (item) JOIN conversations c ON c.conversation_id = said.conversation_id
    )
    SELECT said.item, told.number, said.data FROM said JOIN told USING (item);
END $$;
COMMENT ON FUNCTION core.say IS 'Messages of clients and operators, each with the event that tells of it.';

CREATE FUNCTION core.answer(conversation_ids uuid[], run_ids uuid[], told jsonb[], answers jsonb[])
RETURNS TABLE (item bigint, numbers int[])
LANGUAGE plpgsql VOLATILE ROWS 20 SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH numbered AS MATERIALIZED (
        SELECT * FROM core.tell(conversation_ids, run_ids, told)
    ), written AS (
        INSERT INTO messages (message_id, conversation_id, client_id, run_id, role, text, blocks, context, number)
        SELECT uuidv7(), a.conversation_id, c.client_id, a.run_id, 'assistant', a.answer ->> 'text',
               a.answer -> 'blocks', a.answer -> 'context', n.numbers[e.place]
        FROM unnest(conversation_ids, run_ids, told, answers) WITH ORDINALITY AS a (conversation_id, run_id, told, answer, item)
        JOIN numbered n USING (item) JOIN conversations c ON c.conversation_id = a.conversation_id
        CROSS JOIN LATERAL jsonb_array_elements(a.told) WITH ORDINALITY AS e (event, place)
        WHERE e.event ->> 'type' = 'answer'
        ON CONFLICT DO NOTHING
    )
    SELECT item, numbers FROM numbered;
END $$;
COMMENT ON FUNCTION core.answer IS 'The last events of runs, and the message of each that has an event `answer` among them. A repetition changes nothing.';

CREATE FUNCTION core.delete_conversations(client_ids text[], conversation_ids uuid[])
RETURNS TABLE (item bigint, run_ids uuid[])
LANGUAGE plpgsql VOLATILE ROWS 20 SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    doomed uuid[];
    runs_of uuid[];
BEGIN
    SELECT array_agg(conversation_id) INTO doomed FROM (
        SELECT conversation_id FROM conversations
        WHERE (client_id, conversation_id) IN (SELECT * FROM unnest(client_ids, conversation_ids))
        ORDER BY conversation_id FOR UPDATE
    ) AS locked;
    SELECT array_agg(run_id) INTO runs_of FROM (
        SELECT run_id FROM runs WHERE conversation_id = ANY (doomed) ORDER BY run_id FOR UPDATE
    ) AS locked;
    RETURN QUERY
    SELECT t.item, array(SELECT r.run_id FROM runs r WHERE r.conversation_id = t.conversation_id AND r.finished_at IS NULL)
    FROM unnest(client_ids, conversation_ids) WITH ORDINALITY AS t (client_id, conversation_id, item)
    JOIN conversations c USING (client_id, conversation_id)
    WHERE c.conversation_id = ANY (doomed);
    DELETE FROM webhook_messages WHERE run_id = ANY (runs_of);
    DELETE FROM run_steps WHERE run_id = ANY (runs_of);
    DELETE FROM events WHERE conversation_id = ANY (doomed);
    DELETE FROM messages WHERE conversation_id = ANY (doomed);
    DELETE FROM runs WHERE run_id = ANY (runs_of);
    DELETE FROM conversations WHERE conversation_id = ANY (doomed);
END $$;
COMMENT ON FUNCTION core.delete_conversations IS 'All that is kept of them. Returns for each the runs that were open.';

-- What runs do ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION core.enqueue(run_ids uuid[], conversation_ids uuid[], client_ids text[], scopes text[], on_busy text[])
RETURNS TABLE (item bigint, interrupted uuid[])
LANGUAGE plpgsql VOLATILE ROWS 20 SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(run_ids, conversation_ids, client_ids, scopes, on_busy)
            WITH ORDINALITY AS t (run_id, conversation_id, client_id, scopes, on_busy, item)
    ), queued AS (
        INSERT INTO runs (run_id, conversation_id, client_id, scopes, cancel_at)
        SELECT run_id, conversation_id, client_id, string_to_array(scopes, ' '), CASE WHEN EXISTS (
            SELECT FROM asked later
            WHERE later.item > asked.item AND later.on_busy = 'interrupt' AND later.conversation_id = asked.conversation_id
        ) THEN now() END
        FROM asked
    ), locked AS MATERIALIZED (  -- in one order, so that two who interrupt each other don't wait for each other
        SELECT r.run_id FROM runs r
        WHERE r.status IN ('queued', 'running') AND r.cancel_at IS NULL AND (r.client_id, r.conversation_id) IN (
            SELECT client_id, conversation_id FROM asked WHERE on_busy = 'interrupt')
        ORDER BY r.run_id FOR NO KEY UPDATE OF r
    ), stopped AS (
        UPDATE runs r SET cancel_at = now() FROM locked WHERE r.run_id = locked.run_id AND r.cancel_at IS NULL
        RETURNING r.run_id, r.conversation_id
    )
    SELECT item, array(SELECT s.run_id FROM stopped s
                       WHERE s.conversation_id = asked.conversation_id AND asked.on_busy = 'interrupt')
    FROM asked;
END $$;
COMMENT ON FUNCTION core.enqueue IS 'Runs that wait for a worker. One that interrupts asks for the end of those that are open in its conversation.';

CREATE FUNCTION core.stop(conversation_ids uuid[], but uuid[]) RETURNS TABLE (item bigint, run_ids uuid[])
LANGUAGE plpgsql VOLATILE ROWS 20 SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(conversation_ids, but) WITH ORDINALITY AS t (conversation_id, but, item)
    ), locked AS MATERIALIZED (
        SELECT r.run_id, asked.item FROM runs r JOIN asked USING (conversation_id)
        WHERE r.status IN ('queued', 'running') AND r.run_id IS DISTINCT FROM asked.but
        ORDER BY r.run_id FOR NO KEY UPDATE OF r
    ), stopped AS (
        UPDATE runs r SET cancel_at = coalesce(r.cancel_at, now()) FROM locked WHERE r.run_id = locked.run_id
        RETURNING r.run_id, locked.item
    )
    SELECT item, array_agg(run_id) FROM stopped GROUP BY item;
END $$;
COMMENT ON FUNCTION core.stop IS 'Asks for the end of all runs that are open in these conversations, but for one of each.';

-- What webhooks do -----------------------------------------------------------------------------------------------------

CREATE FUNCTION core.post(run_ids uuid[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
DECLARE
    posted bigint;
BEGIN
    INSERT INTO webhook_messages (message_id, client_id, webhook_id, run_id)
    SELECT uuidv7(), r.client_id, w.webhook_id, r.run_id
    FROM runs r JOIN webhooks w ON w.client_id = r.client_id AND w.ended_at IS NULL
    WHERE r.run_id = ANY (run_ids)
    FOR KEY SHARE OF w  -- one that is being removed is not there any more, rather than an error
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS posted = ROW_COUNT;
    RETURN posted;
END $$;
COMMENT ON FUNCTION core.post IS 'A message in the outbox for each of these runs, which have ended, and each webhook of its client. Returns how many.';

REVOKE EXECUTE ON FUNCTION core.tell, core.say, core.answer, core.delete_conversations, core.enqueue, core.stop, core.post FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.tell, core.say, core.answer, core.delete_conversations, core.enqueue, core.stop, core.post TO bfy_service;

-- Who sees which rows --------------------------------------------------------------------------------------------------

ALTER TABLE core.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.events FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON core.events FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()));
CREATE POLICY service_rows ON core.events TO bfy_service USING (true) WITH CHECK (true);
CREATE POLICY canaries ON core.events TO bfy_operator USING (client_id IN (SELECT c.client_id FROM core.clients c WHERE c.canary));
GRANT SELECT ON core.events TO bfy_client;
GRANT SELECT, INSERT, DELETE ON core.events TO bfy_service;
GRANT SELECT, DELETE ON core.events TO bfy_operator;
GRANT UPDATE, DELETE ON core.conversations TO bfy_service;
GRANT DELETE ON core.runs, core.messages, core.run_steps TO bfy_service;

RESET ROLE;
