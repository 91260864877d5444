-- A run is for the workers that plan with what it was accepted under. Those of another planner take it when no such worker has
-- lived for a lease; who names no planner (a process of before, a row of before) takes all and is taken by all.

SET ROLE bfy_owner;

ALTER TABLE core.open_runs ADD COLUMN planner text;
ALTER TABLE core.workers ADD COLUMN planner text;
COMMENT ON COLUMN core.open_runs.planner IS 'The model (provider:model) of the process that accepted it.';
COMMENT ON COLUMN core.workers.planner IS 'The model that it plans with.';

CREATE FUNCTION core.is_for(accepted text, planner text, lease_s float8) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT accepted IS NULL OR planner IS NULL OR accepted = planner OR NOT EXISTS (
        SELECT FROM core.workers w WHERE w.planner = accepted AND w.lease_until > now() - make_interval(secs => lease_s))
$$;
COMMENT ON FUNCTION core.is_for IS 'Whether a run that was accepted under one planner may be taken by a worker with another.';

DROP FUNCTION core.accept, core.claim;

CREATE FUNCTION core.accept(
    wanted uuid, asker text, said text, may text[], on_busy text, most int, key text, request bytea, planner text DEFAULT NULL,
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
    INSERT INTO open_runs (run_id, conversation_id, client_id, message_id, asked, question, scopes, planner)
    VALUES (run_id, conversation_id, asker, message_id, number, said, may, planner);
END $$;
COMMENT ON FUNCTION core.accept IS 'A message, and its run where the bot answers; or why not: `refusal`, or what became of the key before (`earlier`).';

CREATE FUNCTION core.claim(
    wanted uuid, taker text, lease_s float8, planner text DEFAULT NULL,
    OUT busy boolean, OUT run_id uuid, OUT conversation_id uuid, OUT client_id text, OUT fencing_token int, OUT deaths int, OUT cancelled boolean,
    OUT waited_s float8, OUT text text, OUT scopes text[], OUT previous uuid, OUT name text, OUT city text, OUT state text, OUT country text,
    OUT language text, OUT time_zone text, OUT purchases text, OUT home text, OUT profile text, OUT statistics text, OUT left_s float8
) LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE r open_runs;
BEGIN
    SELECT * INTO r FROM open_runs o WHERE o.run_id = wanted FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        busy := EXISTS (SELECT FROM open_runs o WHERE o.run_id = wanted);
        RETURN;
    END IF;
    busy := false;
    IF r.status = 'running' AND EXISTS (SELECT FROM workers w WHERE w.worker = r.worker AND w.lease_until > now())
        OR EXISTS (SELECT FROM open_runs o WHERE o.client_id = r.client_id AND o.conversation_id = r.conversation_id
                   AND o.run_id <> wanted AND (o.status = 'running' OR o.run_id < wanted))
        OR r.cancel_at IS NULL AND NOT core.is_for(r.planner, claim.planner, lease_s)
    THEN RETURN; END IF;
    UPDATE open_runs o
    SET status = 'running', worker = taker, fencing_token = o.fencing_token + 1, started_at = coalesce(o.started_at, now()),
        crashes = o.crashes + (r.status = 'running')::int
    WHERE o.run_id = wanted
    RETURNING o.run_id, o.conversation_id, o.client_id, o.fencing_token, o.crashes, o.cancel_at IS NOT NULL,
              extract(epoch FROM o.started_at - o.created_at)::float8, o.question, o.scopes
    INTO run_id, conversation_id, client_id, fencing_token, deaths, cancelled, waited_s, text, scopes;
    SELECT v.last_run, c.name, c.city, c.state, c.country, c.language, c.time_zone, c.purchases_version::text,
           left(md5(concat_ws('|', c.name, c.city, c.state, c.country, c.postal_code)), 12),
           (SELECT p.version FROM profiles p WHERE p.client_id = r.client_id), (SELECT e.edition::text FROM stats.edition e)
    INTO previous, name, city, state, country, language, time_zone, purchases, home, profile, statistics
    FROM conversations v JOIN clients c ON c.client_id = v.client_id WHERE v.conversation_id = r.conversation_id;
    SELECT extract(epoch FROM w.lease_until - now())::float8 INTO left_s FROM workers w WHERE w.worker = taker AND w.lease_until > now();
    IF NOT FOUND THEN
        INSERT INTO workers (worker, planner, lease_until) VALUES (taker, claim.planner, now() + make_interval(secs => lease_s))
        ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until;
        left_s := lease_s;
    END IF;
END $$;
COMMENT ON FUNCTION core.claim IS
    'Takes a run that is queued, or whose worker is gone, when it is its turn in its conversation and it is for this planner (or only to be ended), with all that a worker needs for it. Whoever claims is alive, for `left_s` more seconds. `busy`: somebody has its row until he commits, ask again.';

REVOKE EXECUTE ON FUNCTION core.is_for, core.accept, core.claim FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.is_for, core.accept, core.claim TO bfy_service;
RESET ROLE;
