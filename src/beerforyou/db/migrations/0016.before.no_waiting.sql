-- Who knows no conversation is in no order with those who lock by conversations, and waits for nobody: a run whose row
-- somebody has is `busy`. So no claim and no cancellation is part of a deadlock.

SET ROLE bfy_owner;

DROP FUNCTION core.claim, core.cancel;

CREATE FUNCTION core.claim(
    wanted uuid, taker text, lease_s float8,
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
        INSERT INTO workers (worker, lease_until) VALUES (taker, now() + make_interval(secs => lease_s))
        ON CONFLICT (worker) DO UPDATE SET lease_until = excluded.lease_until;
        left_s := lease_s;
    END IF;
END $$;
COMMENT ON FUNCTION core.claim IS
    'Takes a run that is queued, or whose worker is gone, when it is its turn in its conversation, with all that a worker needs for it. Whoever claims is alive, for `left_s` more seconds. `busy`: somebody has its row until he commits, ask again.';

CREATE FUNCTION core.cancel(whose text, wanted uuid, key text, request bytea, OUT busy boolean, OUT status text, OUT earlier jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM FROM open_runs o WHERE o.run_id = wanted AND o.client_id = whose FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
        busy := false;
        status := 'cancelling';
    ELSE
        busy := EXISTS (SELECT FROM open_runs o WHERE o.run_id = wanted AND o.client_id = whose);
        IF busy THEN RETURN; END IF;
        SELECT e.status INTO status FROM ended_runs e WHERE e.run_id = wanted AND e.client_id = whose;
    END IF;
    IF key IS NOT NULL THEN
        earlier := once(whose, key, request, CASE WHEN status IS NOT NULL THEN jsonb_build_object('status', status) END);
    END IF;
    IF status = 'cancelling' AND earlier IS NULL THEN
        UPDATE open_runs o SET cancel_at = coalesce(o.cancel_at, now()) WHERE o.run_id = wanted;
    END IF;
END $$;
COMMENT ON FUNCTION core.cancel IS
    'Asks for the end of a run; `status` is how it had ended before, none when there is no such run of the client''s. `busy`: somebody has its row until he commits, ask again.';

REVOKE EXECUTE ON FUNCTION core.claim, core.cancel FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.claim, core.cancel TO bfy_service;

-- What is old among conversations and outboxes is found by its id, which begins with its time.
DROP INDEX core.conversations_by_age;
RESET ROLE;

-- What a client contributes to cells is added up client by client, in memory that stays near.
SET ROLE bfy_stats;
CREATE FUNCTION stats.added_up(beers bigint[], months int[], quantities bigint[], keys int[], of_beers bigint[]) RETURNS TABLE (dimension int, key int, month int, quantity bigint)
LANGUAGE sql STABLE AS $$
    SELECT d.dimension, d.key, coalesce(l.month, 0), sum(l.quantity)::bigint
    FROM unnest(beers, months, quantities) AS l (beer_id, month, quantity)
    JOIN stats.counted_beers b ON b.beer_id = l.beer_id
    CROSS JOIN LATERAL (VALUES (0, b.total), (1, b.type), (2, b.style), (3, b.brewery), (4, b.beer)) AS d (dimension, key)
    WHERE d.key IS NOT NULL AND (of_beers IS NULL OR l.beer_id = ANY (of_beers)) AND (keys IS NULL OR d.key = ANY (keys))
    GROUP BY GROUPING SETS ((d.dimension, d.key, l.month), (d.dimension, d.key))
$$;
COMMENT ON FUNCTION stats.added_up IS 'Lines of a client as sums under each key, or each of these, which these beers have, by month and (month 0) in all. Planned as a part of the query that asks.';
REVOKE EXECUTE ON FUNCTION stats.added_up FROM PUBLIC;
RESET ROLE;
