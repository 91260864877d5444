-- Who planned a run, and why; and what is paid for a run after its end, without anybody waiting for it.

SET ROLE bfy_owner;

ALTER TABLE core.ended_runs ADD COLUMN planned json NOT NULL DEFAULT '{}';
COMMENT ON COLUMN core.ended_runs.planned IS 'Who planned it (reading, model, rule), and why (runs/why.py).';

CREATE OR REPLACE VIEW core.runs WITH (security_invoker) AS
SELECT run_id, conversation_id, client_id, message_id, asked, question, status, NULL AS outcome, NULL AS text, '[]'::json AS blocks,
       NULL::json AS context, NULL::int AS answered, NULL::int AS ended, NULL::int AS last_event, fencing_token, worker, crashes, '{}'::text[] AS labels,
       '{}'::json AS versions, '{}'::json AS usage, '[]'::json AS decisions, created_at, started_at, NULL::timestamptz AS finished_at, cancel_at,
       '{}'::json AS planned
FROM core.open_runs
UNION ALL
SELECT run_id, conversation_id, client_id, message_id, asked, question, status, outcome, text, blocks,
       context, answered, ended, last_event, fencing_token, NULL, crashes, labels,
       versions, usage, decisions, created_at, started_at, finished_at, cancel_at, planned
FROM core.ended_runs;

-- A worker of the version before calls it without the last.
DROP FUNCTION core.finish;

CREATE FUNCTION core.finish(
    talk uuid, wanted uuid, token int, first int, steps json, events json, last_event int, status text, outcome text, text text,
    blocks json, context json, labels text[], versions json, usage json, decisions json, planned json DEFAULT '{}',
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
        last_event, fencing_token, crashes, labels, versions, usage, decisions, planned, created_at, started_at, cancel_at)
    VALUES (wanted, talk, r.client_id, r.message_id, r.asked, r.question, status, outcome, text, blocks, context, answered, ended,
        last_event, token, r.crashes, labels, versions, usage, decisions, planned, r.created_at, r.started_at, r.cancel_at);
    INSERT INTO webhook_messages (message_id, client_id, webhook_id, run_id)
    SELECT uuidv7(), w.client_id, w.webhook_id, wanted FROM webhooks w WHERE w.client_id = r.client_id AND w.ended_at IS NULL
    FOR KEY SHARE OF w;  -- one that is being removed is not there any more, rather than an error
    SELECT o.run_id INTO next FROM open_runs o
    WHERE o.client_id = r.client_id AND o.conversation_id = talk AND o.status = 'queued' ORDER BY o.run_id LIMIT 1;
END $$;
COMMENT ON FUNCTION core.finish IS
    'The end of a run, all of it: last steps, answer, labels, usage, decisions, who planned, and outbox, if the worker still holds it. Returns the run of the conversation whose turn it is then. A repetition changes nothing, and gets the same numbers.';

CREATE FUNCTION core.afterwards(talk uuid, wanted uuid, first int, steps json, OUT held boolean)
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM conversations c WHERE c.conversation_id = talk FOR KEY SHARE;  -- who deletes it has deleted all of it then
    INSERT INTO ledger (run_id, seq, client_id, steps, events)
    SELECT wanted, first, e.client_id, steps, '[]' FROM ended_runs e WHERE e.run_id = wanted AND e.conversation_id = talk
    ON CONFLICT DO NOTHING;
    held := FOUND;
END $$;
COMMENT ON FUNCTION core.afterwards IS 'Steps of a run that has ended; none where it was deleted. A repetition changes nothing.';
REVOKE EXECUTE ON FUNCTION core.finish, core.afterwards FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.finish, core.afterwards TO bfy_service;
RESET ROLE;
