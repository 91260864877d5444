-- What a run leaves: one row while it is open, one when it has ended, and a row of its ledger for each commit in between. The
-- events of a run and the messages of a conversation are read from these, and are written nowhere else. What has ended lies
-- in partitions by day, so that what is old is dropped and never deleted row by row.
--
-- Workers and servers of the version before are to be stopped meanwhile. Rows of before go to the default partitions.

SET ROLE bfy_owner;

ALTER TABLE core.runs RENAME TO old_runs;
ALTER TABLE core.messages RENAME TO old_messages;
ALTER TABLE core.run_steps RENAME TO old_steps;
ALTER TABLE core.events RENAME TO old_events;
ALTER INDEX core.one_running_run RENAME TO old_running_run;
DROP FUNCTION core.tell, core.say, core.answer, core.enqueue, core.stop, core.post, core.delete_conversations;

ALTER TABLE core.conversations
    DROP COLUMN events_expired,
    ADD COLUMN first_words text NOT NULL DEFAULT '',
    ADD COLUMN last_run uuid;
CREATE INDEX conversations_by_age ON core.conversations USING brin (created_at);
COMMENT ON COLUMN core.conversations.events IS 'The highest number given out in it: to what was said, to ends of runs and to changes of state, in the order of the commits.';
COMMENT ON COLUMN core.conversations.first_words IS 'What it begins with.';
COMMENT ON COLUMN core.conversations.last_run IS 'The run that was answered last.';

CREATE TABLE core.open_runs (
    run_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL,
    client_id text NOT NULL,
    message_id uuid NOT NULL,
    asked int NOT NULL,
    question text NOT NULL,
    scopes text[] NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running')),
    fencing_token int NOT NULL DEFAULT 0,
    worker text,
    crashes int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    cancel_at timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE UNIQUE INDEX one_running_run ON core.open_runs (client_id, conversation_id) WHERE status = 'running';
CREATE INDEX open_runs_of_client ON core.open_runs (client_id, conversation_id, run_id);
COMMENT ON TABLE core.open_runs IS 'Runs that wait for a worker or have one: a small table, in which a row lives for seconds.';
COMMENT ON COLUMN core.open_runs.asked IS 'The number of the question in the conversation.';
COMMENT ON COLUMN core.open_runs.scopes IS 'What the token of the one who asked allows: tools of other scopes do not exist for this run.';
COMMENT ON COLUMN core.open_runs.fencing_token IS 'Raised by each claim; a worker whose token is lower can write nothing any more.';
COMMENT ON COLUMN core.open_runs.crashes IS 'Workers that died, fell silent or failed over the run.';
COMMENT ON COLUMN core.open_runs.cancel_at IS 'When somebody asked to cancel it; its worker ends it before the next step that costs.';

CREATE TABLE core.ended_runs (
    run_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL,
    client_id text NOT NULL,
    message_id uuid NOT NULL,
    asked int NOT NULL,
    question text NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'failed', 'cancelled')),
    outcome text,
    text text,
    blocks json NOT NULL,
    context json,
    answered int,
    ended int,
    last_event int NOT NULL,
    fencing_token int NOT NULL,
    crashes int NOT NULL,
    labels text[] NOT NULL,
    versions json NOT NULL,
    usage json NOT NULL,
    decisions json NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz NOT NULL DEFAULT now(),
    cancel_at timestamptz
) PARTITION BY RANGE (run_id);
CREATE INDEX ended_runs_of_conversation ON core.ended_runs (conversation_id);
COMMENT ON TABLE core.ended_runs IS 'Question and answer, who may see it and what it cost; written once, by the day on which it was asked.';
COMMENT ON COLUMN core.ended_runs.answered IS 'The number of the answer in the conversation; none when there is none.';
COMMENT ON COLUMN core.ended_runs.ended IS 'The number of the end in the conversation; none where an older version forgot it.';
COMMENT ON COLUMN core.ended_runs.last_event IS 'The number of the end among the run''s own events; the answer is the one before it.';
COMMENT ON COLUMN core.ended_runs.context IS 'What the next message may lean on (reading.Context).';

CREATE TABLE core.ledger (
    run_id uuid NOT NULL,
    seq int NOT NULL,
    client_id text NOT NULL,
    steps json NOT NULL,
    events json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, seq)
) PARTITION BY RANGE (run_id);
COMMENT ON TABLE core.ledger IS 'What runs have paid for: the steps of one commit (runs/journal.py), and what followers were told until then and not before.';
COMMENT ON COLUMN core.ledger.seq IS 'The number of the first of its steps.';

CREATE TABLE core.said (
    message_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL,
    client_id text NOT NULL,
    role text NOT NULL CHECK (role IN ('client', 'operator', 'state')),
    text text NOT NULL,
    number int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (message_id);
CREATE INDEX said_of_conversation ON core.said (conversation_id);
COMMENT ON TABLE core.said IS 'What people say to each other in a conversation, without the bot; and, as role state, who answers from there on.';

CREATE TABLE core.ended_runs_other PARTITION OF core.ended_runs DEFAULT;
CREATE TABLE core.ledger_other PARTITION OF core.ledger DEFAULT;
CREATE TABLE core.said_other PARTITION OF core.said DEFAULT;

-- Partitions by day ----------------------------------------------------------------------------------------------------

CREATE FUNCTION core.uuid_at(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
COMMENT ON FUNCTION core.uuid_at IS 'Lower than each uuidv7 of that moment or later, and higher than those before it (RFC 9562).';

CREATE FUNCTION core.partitioned() RETURNS TABLE (name text) LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('ended_runs'), ('ledger'), ('said')
$$;

-- As the owner, since the service makes no tables. Days whose rows are in the default partition already stay there.
CREATE FUNCTION core.make_partitions(ahead int) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = core, pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    of text;
    day date;
    made int := 0;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('core.make_partitions', 0));
    FOR of IN SELECT name FROM core.partitioned() LOOP
        FOR n IN 0..ahead LOOP
            day := (now() AT TIME ZONE 'UTC')::date + n;
            part := format('%s_%s', of, to_char(day, 'YYYYMMDD'));
            CONTINUE WHEN to_regclass('core.' || part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE core.%I PARTITION OF core.%I FOR VALUES FROM (%L) TO (%L)', part, of,
                    core.uuid_at(day::timestamp AT TIME ZONE 'UTC'), core.uuid_at((day + 1)::timestamp AT TIME ZONE 'UTC'));
            EXCEPTION WHEN check_violation THEN
                CONTINUE;  -- its rows are in the default partition, which the owner does not see into
            END;
            EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
COMMENT ON FUNCTION core.make_partitions IS 'For today and so many days ahead. Returns how many were made.';

CREATE FUNCTION core.drop_partitions(kept jsonb) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = core, pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    part record;
    dropped int := 0;
BEGIN
    FOR part IN
        SELECT c.relname, p.name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day
        FROM core.partitioned() p JOIN pg_inherits i ON i.inhparent = ('core.' || p.name)::regclass JOIN pg_class c ON c.oid = i.inhrelid
        WHERE c.relname ~ '_[0-9]{8}$'
    LOOP
        IF part.day < (now() AT TIME ZONE 'UTC')::date - (kept ->> part.name)::int THEN
            EXECUTE format('DROP TABLE core.%I', part.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION core.drop_partitions IS 'Those that are older than so many days, by the name of the table. Returns how many.';

SELECT core.make_partitions(7);

-- What is there --------------------------------------------------------------------------------------------------------
-- The owner sees no rows while security is forced.

ALTER TABLE core.conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.old_runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.old_messages NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.old_steps NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.old_events NO FORCE ROW LEVEL SECURITY;

INSERT INTO core.open_runs (run_id, conversation_id, client_id, message_id, asked, question, scopes, status, fencing_token, worker,
                            crashes, created_at, started_at, cancel_at)
SELECT r.run_id, r.conversation_id, r.client_id, m.message_id, m.number, m.text, r.scopes, r.status, r.fencing_token, r.worker,
       r.crashes, r.created_at, r.started_at, r.cancel_at
FROM core.old_runs r JOIN core.old_messages m ON m.run_id = r.run_id AND m.role = 'client'
WHERE r.finished_at IS NULL;

INSERT INTO core.ended_runs (run_id, conversation_id, client_id, message_id, asked, question, status, outcome, text, blocks, context, answered,
                             ended, last_event, fencing_token, crashes, labels, versions, usage, decisions, created_at, started_at, finished_at, cancel_at)
SELECT r.run_id, r.conversation_id, r.client_id, m.message_id, m.number, m.text, r.status, r.outcome, a.text, coalesce(a.blocks, '[]'), a.context,
       a.number, e.number, coalesce(e.seq, 3), r.fencing_token, r.crashes, r.labels, r.versions, r.usage, r.decisions, r.created_at,
       r.started_at, r.finished_at, r.cancel_at
FROM core.old_runs r
JOIN core.old_messages m ON m.run_id = r.run_id AND m.role = 'client'
LEFT JOIN core.old_messages a ON a.run_id = r.run_id AND a.role = 'assistant'
LEFT JOIN core.old_events e ON e.run_id = r.run_id AND e.type = 'finished'
WHERE r.finished_at IS NOT NULL;

INSERT INTO core.ledger (run_id, seq, client_id, steps, events, created_at)
SELECT run_id, seq, client_id, json_build_array(json_build_object(
    'seq', seq, 'turn', turn, 'purpose', purpose, 'call', call, 'kind', kind, 'name', name, 'input', input, 'output', output, 'outcome', outcome,
    'labels', labels, 'versions', versions, 'usage', usage, 'ms', ms)), '[]', created_at
FROM core.old_steps;

INSERT INTO core.said (message_id, conversation_id, client_id, role, text, number, created_at)
SELECT message_id, conversation_id, client_id, role, text, number, created_at FROM core.old_messages WHERE run_id IS NULL
UNION ALL
SELECT uuidv7(), conversation_id, client_id, 'state', data ->> 'state', number, created_at FROM core.old_events WHERE type = 'state';

UPDATE core.conversations c
SET first_words = coalesce((SELECT left(m.text, 100) FROM core.old_messages m
                            WHERE m.conversation_id = c.conversation_id ORDER BY m.number LIMIT 1), ''),
    last_run = (SELECT m.run_id FROM core.old_messages m
                WHERE m.conversation_id = c.conversation_id AND m.role = 'assistant' ORDER BY m.number DESC LIMIT 1);
ALTER TABLE core.conversations FORCE ROW LEVEL SECURITY;

ALTER TABLE core.webhook_messages DROP CONSTRAINT webhook_messages_run_id_fkey;
DROP TABLE core.old_events, core.old_steps, core.old_messages, core.old_runs;

-- What is read ---------------------------------------------------------------------------------------------------------
-- With the rights and the rows of whoever reads.

CREATE VIEW core.runs WITH (security_invoker) AS
SELECT run_id, conversation_id, client_id, message_id, asked, question, status, NULL AS outcome, NULL AS text, '[]'::json AS blocks,
       NULL::json AS context, NULL::int AS answered, NULL::int AS ended, NULL::int AS last_event, fencing_token, worker, crashes, '{}'::text[] AS labels,
       '{}'::json AS versions, '{}'::json AS usage, '[]'::json AS decisions, created_at, started_at, NULL::timestamptz AS finished_at, cancel_at
FROM core.open_runs
UNION ALL
SELECT run_id, conversation_id, client_id, message_id, asked, question, status, outcome, text, blocks,
       context, answered, ended, last_event, fencing_token, NULL, crashes, labels,
       versions, usage, decisions, created_at, started_at, finished_at, cancel_at
FROM core.ended_runs;
COMMENT ON VIEW core.runs IS 'Open and ended.';

CREATE VIEW core.run_steps WITH (security_invoker) AS
SELECT l.run_id, l.client_id, s.*
FROM core.ledger l CROSS JOIN LATERAL json_to_recordset(l.steps) AS s (
    seq int, turn int, purpose text, call text, kind text, name text, input json, output json, outcome json, labels text[], versions json, usage json, ms real);
COMMENT ON VIEW core.run_steps IS 'The ledger, a row each step.';

CREATE VIEW core.messages WITH (security_invoker) AS
SELECT message_id, conversation_id, client_id, NULL::uuid AS run_id, role, text, '[]'::json AS blocks, number, created_at
FROM core.said WHERE role <> 'state'
UNION ALL
SELECT message_id, conversation_id, client_id, run_id, 'client', question, '[]', asked, created_at FROM core.open_runs
UNION ALL
SELECT message_id, conversation_id, client_id, run_id, 'client', question, '[]', asked, created_at FROM core.ended_runs
UNION ALL
SELECT run_id, conversation_id, client_id, run_id, 'assistant', text, blocks, answered, finished_at FROM core.ended_runs WHERE answered IS NOT NULL;
COMMENT ON VIEW core.messages IS 'All that was said in conversations, by whomever. An answer has the id of its run.';

CREATE VIEW core.events WITH (security_invoker) AS
SELECT conversation_id, client_id, number, NULL::uuid AS run_id, CASE role WHEN 'state' THEN 'state' ELSE 'message' END AS type,
       CASE role WHEN 'state' THEN json_build_object('state', text)
       ELSE json_build_object('message_id', message_id, 'run_id', NULL, 'role', role, 'text', text) END AS data
FROM core.said
UNION ALL
SELECT conversation_id, client_id, asked, NULL, 'message', json_build_object('message_id', message_id, 'run_id', run_id, 'role', 'client', 'text', question)
FROM core.runs
UNION ALL
SELECT conversation_id, client_id, answered, run_id, 'answer', json_build_object('text', text, 'blocks', blocks)
FROM core.ended_runs WHERE answered IS NOT NULL
UNION ALL
SELECT conversation_id, client_id, ended, run_id, 'finished', json_build_object('status', status, 'outcome', outcome)
FROM core.ended_runs WHERE ended IS NOT NULL;
COMMENT ON VIEW core.events IS 'What stays of what happened in conversations, by number. What is under way is told while it is, and kept in the ledger.';

-- What is written ------------------------------------------------------------------------------------------------------
-- One call an item; a batch is many calls in one transaction, in the order of the conversations, so that two batches
-- that lock the same do not wait for each other. Each statement of a function sees what was committed before it: once
-- the lock is had, nothing is missed.

CREATE FUNCTION core.accept(
    wanted uuid, asker text, said text, may text[], on_busy text, most int, key text, request bytea,
    OUT run_id uuid, OUT conversation_id uuid, OUT refusal text, OUT earlier jsonb, OUT interrupted uuid[], OUT message_id uuid, OUT number int
) LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    answers text := 'bot';
    others bigint;
    busy boolean;
BEGIN
    interrupted := '{}';
    conversation_id := coalesce(wanted, uuidv7());
    message_id := uuidv7();
    IF wanted IS NOT NULL THEN
        SELECT c.state INTO answers FROM conversations c WHERE c.conversation_id = wanted AND c.client_id = asker FOR NO KEY UPDATE;
        IF NOT FOUND THEN refusal := 'conversation'; END IF;
    END IF;
    IF (wanted IS NULL OR refusal IS NOT NULL) AND NOT EXISTS (SELECT FROM clients c WHERE c.client_id = asker) THEN
        refusal := 'client';
    END IF;
    IF refusal IS NULL AND answers = 'bot' THEN
        run_id := uuidv7();
        SELECT count(*), coalesce(bool_or(o.conversation_id = wanted), false) INTO others, busy FROM open_runs o WHERE o.client_id = asker;
        refusal := CASE WHEN others >= most THEN 'many' WHEN busy AND on_busy = 'reject' THEN 'busy' END;
    END IF;
    IF key IS NOT NULL THEN
        earlier := once(asker, key, request, CASE WHEN refusal IS NULL THEN jsonb_build_object(
            'run_id', run_id, 'conversation_id', conversation_id, 'status', CASE answers WHEN 'bot' THEN 'queued' ELSE 'person' END) END);
    END IF;
    IF refusal IS NOT NULL OR earlier IS NOT NULL THEN RETURN; END IF;

    IF wanted IS NULL THEN
        INSERT INTO conversations (conversation_id, client_id, events, first_words) VALUES (conversation_id, asker, 1, left(said, 100));
        number := 1;
    ELSE
        UPDATE conversations c SET events = c.events + 1, last_message_at = greatest(c.last_message_at, now())
        WHERE c.conversation_id = wanted RETURNING c.events INTO number;
    END IF;
    IF run_id IS NULL THEN
        INSERT INTO said (message_id, conversation_id, client_id, role, text, number) VALUES (message_id, wanted, asker, 'client', said, number);
        RETURN;
    END IF;
    IF busy AND on_busy = 'interrupt' THEN
        WITH locked AS MATERIALIZED (
            SELECT o.run_id FROM open_runs o WHERE o.client_id = asker AND o.conversation_id = wanted AND o.cancel_at IS NULL
            ORDER BY o.run_id FOR NO KEY UPDATE
        ), stopped AS (
            UPDATE open_runs o SET cancel_at = now() FROM locked WHERE o.run_id = locked.run_id RETURNING o.run_id
        )
        SELECT coalesce(array_agg(stopped.run_id), '{}') INTO interrupted FROM stopped;
    END IF;
    INSERT INTO open_runs (run_id, conversation_id, client_id, message_id, asked, question, scopes)
    VALUES (run_id, conversation_id, asker, message_id, number, said, may);
END $$;
COMMENT ON FUNCTION core.accept IS 'A message, and its run where the bot answers; or why not: `refusal`, or what became of the key before (`earlier`).';

CREATE FUNCTION core.claim(
    wanted uuid, taker text, lease_s float8,
    OUT run_id uuid, OUT conversation_id uuid, OUT client_id text, OUT fencing_token int, OUT deaths int, OUT cancelled boolean,
    OUT waited_s float8, OUT text text, OUT scopes text[], OUT previous uuid, OUT name text, OUT city text, OUT state text, OUT country text,
    OUT language text, OUT time_zone text, OUT purchases text, OUT home text, OUT profile text, OUT statistics text, OUT left_s float8
) LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE r open_runs;
BEGIN
    SELECT * INTO r FROM open_runs o WHERE o.run_id = wanted;
    IF NOT FOUND
        OR r.status = 'running' AND EXISTS (SELECT FROM workers w WHERE w.worker = r.worker AND w.lease_until > now())
        OR EXISTS (SELECT FROM open_runs o WHERE o.client_id = r.client_id AND o.conversation_id = r.conversation_id
                   AND o.run_id <> wanted AND (o.status = 'running' OR o.run_id < wanted))
    THEN RETURN; END IF;
    UPDATE open_runs o
    SET status = 'running', worker = taker, fencing_token = o.fencing_token + 1, started_at = coalesce(o.started_at, now()),
        crashes = o.crashes + (r.status = 'running')::int
    WHERE o.run_id = wanted AND o.fencing_token = r.fencing_token AND o.status = r.status
    RETURNING o.run_id, o.conversation_id, o.client_id, o.fencing_token, o.crashes, o.cancel_at IS NOT NULL,
              extract(epoch FROM o.started_at - o.created_at)::float8, o.question, o.scopes
    INTO run_id, conversation_id, client_id, fencing_token, deaths, cancelled, waited_s, text, scopes;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT v.last_run, c.name, c.city, c.state, c.country, c.language, c.time_zone, c.purchases_version::text,
           left(md5(concat_ws('|', c.name, c.city, c.state, c.country, c.postal_code)), 12),
           (SELECT p.version FROM profiles p WHERE p.client_id = r.client_id), (SELECT e.edition::text FROM stats.edition e)
    INTO previous, name, city, state, country, language, time_zone, purchases, home, profile, statistics
    FROM conversations v JOIN clients c ON c.client_id = v.client_id WHERE v.conversation_id = r.conversation_id;
    SELECT extract(epoch FROM w.lease_until - now())::float8 INTO left_s FROM workers w WHERE w.worker = taker AND w.lease_until > now();
    IF NOT FOUND THEN
        INSERT INTO workers (worker, lease_until) VALUES (taker, now() + make_interval(secs => lease_s))
        ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until;
        left_s := lease_s;
    END IF;
END $$;
COMMENT ON FUNCTION core.claim IS
    'Takes a run that is queued, or whose worker is gone, when it is its turn in its conversation, with all that a worker needs for it. Whoever claims is alive, for `left_s` more seconds. A run that changed hands after it was looked at has another fencing token, and is not taken.';

CREATE FUNCTION core.record(talk uuid, wanted uuid, token int, first int, steps json, events json, OUT held boolean, OUT cancelled boolean)
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
DECLARE whose text;
BEGIN
    SELECT o.client_id, o.cancel_at IS NOT NULL INTO whose, cancelled FROM open_runs o
    WHERE o.run_id = wanted AND o.conversation_id = talk AND o.fencing_token = token AND o.status = 'running'
    FOR SHARE;
    held := FOUND;
    IF held THEN
        INSERT INTO ledger (run_id, seq, client_id, steps, events) VALUES (wanted, first, whose, steps, events) ON CONFLICT DO NOTHING;
    END IF;
END $$;
COMMENT ON FUNCTION core.record IS
    'Steps that are done, if the worker still holds the run of that conversation (by which batches are in order). A repetition changes nothing. The run is locked until the commit, so that who claims it meanwhile waits and finds them.';

CREATE FUNCTION core.finish(
    talk uuid, wanted uuid, token int, first int, steps json, events json, last_event int, status text, outcome text, text text,
    blocks json, context json, labels text[], versions json, usage json, decisions json,
    OUT held boolean, OUT answered int, OUT ended int, OUT next uuid
) LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE r open_runs;
BEGIN
    -- The conversation before the run, as whoever else has both; and counted in only once it is known that the run is held.
    PERFORM FROM conversations c WHERE c.conversation_id = talk FOR NO KEY UPDATE;
    DELETE FROM open_runs o WHERE o.run_id = wanted AND o.fencing_token = token AND o.status = 'running' RETURNING * INTO r;
    held := FOUND;
    IF NOT held THEN
        SELECT e.answered, e.ended INTO answered, ended FROM ended_runs e WHERE e.run_id = wanted AND e.fencing_token = token;
        held := FOUND;
        RETURN;
    END IF;
    UPDATE conversations c
    SET events = c.events + CASE WHEN text IS NULL THEN 1 ELSE 2 END, last_run = CASE WHEN text IS NULL THEN c.last_run ELSE wanted END
    WHERE c.conversation_id = talk RETURNING c.events INTO ended;
    answered := CASE WHEN text IS NOT NULL THEN ended - 1 END;
    IF steps IS NOT NULL THEN
        INSERT INTO ledger (run_id, seq, client_id, steps, events) VALUES (wanted, first, r.client_id, steps, events) ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO ended_runs (run_id, conversation_id, client_id, message_id, asked, question, status, outcome, text, blocks, context, answered, ended,
        last_event, fencing_token, crashes, labels, versions, usage, decisions, created_at, started_at, cancel_at)
    VALUES (wanted, talk, r.client_id, r.message_id, r.asked, r.question, status, outcome, text, blocks, context, answered, ended,
        last_event, token, r.crashes, labels, versions, usage, decisions, r.created_at, r.started_at, r.cancel_at);
    INSERT INTO webhook_messages (message_id, client_id, webhook_id, run_id)
    SELECT uuidv7(), w.client_id, w.webhook_id, wanted FROM webhooks w WHERE w.client_id = r.client_id AND w.ended_at IS NULL
    FOR KEY SHARE OF w;  -- one that is being removed is not there any more, rather than an error
    SELECT o.run_id INTO next FROM open_runs o
    WHERE o.client_id = r.client_id AND o.conversation_id = talk AND o.status = 'queued' ORDER BY o.run_id LIMIT 1;
END $$;
COMMENT ON FUNCTION core.finish IS
    'The end of a run, all of it: last steps, answer, labels, usage, decisions and outbox, if the worker still holds it. Returns the run of the conversation whose turn it is then. A repetition changes nothing, and gets the same numbers.';

CREATE FUNCTION core.cancel(whose text, wanted uuid, key text, request bytea, OUT status text, OUT earlier jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM FROM open_runs o WHERE o.run_id = wanted AND o.client_id = whose FOR NO KEY UPDATE;
    IF FOUND THEN
        status := 'cancelling';
    ELSE
        SELECT e.status INTO status FROM ended_runs e WHERE e.run_id = wanted AND e.client_id = whose;
    END IF;
    IF key IS NOT NULL THEN
        earlier := once(whose, key, request, CASE WHEN status IS NOT NULL THEN jsonb_build_object('status', status) END);
    END IF;
    IF status = 'cancelling' AND earlier IS NULL THEN
        UPDATE open_runs o SET cancel_at = coalesce(o.cancel_at, now()) WHERE o.run_id = wanted;
    END IF;
END $$;
COMMENT ON FUNCTION core.cancel IS 'Asks for the end of a run; `status` is how it had ended before, none when there is no such run of the client''s.';

CREATE FUNCTION core.say(talk uuid, whose text, said text, OUT message_id uuid, OUT number int)
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE conversations c SET events = c.events + 1, last_message_at = greatest(c.last_message_at, now())
    WHERE c.conversation_id = talk AND c.client_id = whose RETURNING c.events INTO number;
    IF FOUND THEN
        message_id := uuidv7();
        INSERT INTO said (message_id, conversation_id, client_id, role, text, number) VALUES (message_id, talk, whose, 'operator', said, number);
    END IF;
END $$;
COMMENT ON FUNCTION core.say IS 'An operator''s message; nothing when the client has no such conversation.';

CREATE FUNCTION core.hand(talk uuid, whose text, state text, but uuid, OUT there boolean, OUT number int, OUT stopped uuid[])
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE before text;
BEGIN
    stopped := '{}';
    SELECT c.state INTO before FROM conversations c WHERE c.conversation_id = talk AND c.client_id = whose FOR NO KEY UPDATE;
    there := FOUND;
    IF NOT there THEN RETURN; END IF;
    IF before <> state THEN
        UPDATE conversations c SET state = hand.state, events = c.events + 1 WHERE c.conversation_id = talk RETURNING c.events INTO number;
        INSERT INTO said (message_id, conversation_id, client_id, role, text, number) VALUES (uuidv7(), talk, whose, 'state', state, number);
    END IF;
    IF state = 'person' THEN
        WITH locked AS MATERIALIZED (
            SELECT o.run_id FROM open_runs o WHERE o.client_id = whose AND o.conversation_id = talk AND o.run_id IS DISTINCT FROM but
            ORDER BY o.run_id FOR NO KEY UPDATE
        ), cancelled AS (
            UPDATE open_runs o SET cancel_at = coalesce(o.cancel_at, now()) FROM locked WHERE o.run_id = locked.run_id RETURNING o.run_id
        )
        SELECT coalesce(array_agg(cancelled.run_id), '{}') INTO stopped FROM cancelled;
    END IF;
END $$;
COMMENT ON FUNCTION core.hand IS 'Gives a conversation to a person or to the bot. Runs that are open when a person takes over are asked to end, but for one. No number when it was so before.';

CREATE FUNCTION core.delete_conversation(talk uuid, whose text, OUT there boolean, OUT open uuid[])
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
DECLARE every uuid[];
BEGIN
    PERFORM FROM conversations c WHERE c.conversation_id = talk AND c.client_id = whose FOR UPDATE;
    there := FOUND;
    IF NOT there THEN RETURN; END IF;
    WITH gone AS (DELETE FROM open_runs o WHERE o.client_id = whose AND o.conversation_id = talk RETURNING o.run_id)
    SELECT coalesce(array_agg(gone.run_id), '{}') INTO open FROM gone;
    WITH gone AS (DELETE FROM ended_runs e WHERE e.conversation_id = talk RETURNING e.run_id)
    SELECT open || coalesce(array_agg(gone.run_id), '{}') INTO every FROM gone;
    DELETE FROM webhook_messages m WHERE m.run_id = ANY (every);
    DELETE FROM ledger l WHERE l.run_id = ANY (every);
    DELETE FROM said s WHERE s.conversation_id = talk;
    DELETE FROM conversations c WHERE c.conversation_id = talk;
END $$;
COMMENT ON FUNCTION core.delete_conversation IS 'All that is kept of it. Returns its runs that were open.';

REVOKE EXECUTE ON FUNCTION core.uuid_at, core.partitioned, core.make_partitions, core.drop_partitions, core.accept, core.claim, core.record,
    core.finish, core.cancel, core.say, core.hand, core.delete_conversation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.uuid_at, core.make_partitions, core.drop_partitions, core.accept, core.claim, core.record,
    core.finish, core.cancel, core.say, core.hand, core.delete_conversation TO bfy_service;
GRANT EXECUTE ON FUNCTION core.uuid_at TO bfy_client;

-- Who sees which rows --------------------------------------------------------------------------------------------------

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['open_runs', 'ended_runs', 'ledger', 'said'] LOOP
        EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_rows ON core.%I FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()))', t);
        EXECUTE format('CREATE POLICY service_rows ON core.%I TO bfy_service USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY canaries ON core.%I TO bfy_operator USING (client_id IN (SELECT c.client_id FROM core.clients c WHERE c.canary))', t);
        EXECUTE format('GRANT SELECT ON core.%I TO bfy_client', t);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON core.%I TO bfy_service', t);
        EXECUTE format('GRANT SELECT, DELETE ON core.%I TO bfy_operator', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['ended_runs_other', 'ledger_other', 'said_other'] LOOP
        EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
    END LOOP;
END $$;
GRANT UPDATE ON core.open_runs TO bfy_service;
GRANT SELECT ON core.runs, core.run_steps, core.messages, core.events TO bfy_client, bfy_service;

-- A claim brings what a run needs to know of its client; the client's purchases and profile stay out of the service's sight.
GRANT SELECT (client_id, name, city, state, country, postal_code, language, time_zone, purchases_version) ON core.clients TO bfy_service;
GRANT SELECT (client_id, version) ON core.profiles TO bfy_service;
CREATE POLICY service_rows ON core.profiles FOR SELECT TO bfy_service USING (true);
RESET ROLE;

SET ROLE bfy_stats;
GRANT USAGE ON SCHEMA stats TO bfy_service;
GRANT SELECT ON stats.edition TO bfy_service;
RESET ROLE;

-- A partition is part of its table, and nobody has rights on it.
SET ROLE bfy_authz;
CREATE OR REPLACE VIEW authz.tables_of_clients AS
WITH RECURSIVE found (oid) AS (
    SELECT c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'client_id' AND NOT a.attisdropped
      AND (pg_get_userbyid(n.nspowner) LIKE 'bfy\_%' OR has_any_column_privilege('bfy_client', c.oid, 'SELECT'))
    UNION
    SELECT conrelid FROM pg_constraint JOIN found ON confrelid = found.oid WHERE contype = 'f'
)
SELECT c.oid, c.relname AS name,
       EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'client_id' AND NOT attisdropped) AS says_whose
FROM pg_class c JOIN found USING (oid);

-- Who sees nothing reads all of a table to know it, where no index begins with the client: in a large one some pages must do.
CREATE OR REPLACE FUNCTION authz.tables_with_rows() RETURNS SETOF regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found regclass;
    pages bigint;
    seen boolean;
BEGIN
    FOR found IN
        SELECT oid FROM authz.tables_of_clients JOIN pg_class USING (oid)
        WHERE has_schema_privilege(relnamespace, 'USAGE') AND has_any_column_privilege(oid, 'SELECT')
    LOOP
        pages := 1 + coalesce((SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(found)), pg_relation_size(found)) / 8192;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s TABLESAMPLE SYSTEM (%s))', found, least(100, 10000.0 / pages)) INTO seen;
        IF seen THEN RETURN NEXT found; END IF;
    END LOOP;
END $$;
RESET ROLE;
