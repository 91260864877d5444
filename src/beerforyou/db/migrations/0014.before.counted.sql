-- What the last edition of the statistics was counted from, so that the next one looks at what has changed since. Nobody
-- but bfy_stats reads it: all of it is of single clients, or of fewer than may be published.

SET ROLE bfy_owner;
GRANT SELECT (purchases_version) ON core.clients TO bfy_stats;
RESET ROLE;

SET ROLE bfy_authz;
GRANT USAGE ON SCHEMA authz TO bfy_stats;  -- to name the function in a policy; it may not call it
RESET ROLE;

SET ROLE bfy_stats;
CREATE TABLE stats.keys (
    key int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    dimension int NOT NULL,
    text text NOT NULL,
    counted boolean NOT NULL DEFAULT false,
    UNIQUE (dimension, text)
);
COMMENT ON TABLE stats.keys IS 'Numbers of what is counted: 0 all, 1 types, 2 styles, 3 breweries, 4 beers. `counted`: enough clients buy it for cells of its own.';

CREATE TABLE stats.places (
    place int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    country text NOT NULL,
    state text NOT NULL,
    city text NOT NULL,
    inside int NOT NULL,
    UNIQUE (country, state, city)
);
COMMENT ON TABLE stats.places IS 'Numbers of states (without a city) and cities, which are `inside` a state; 0 is everywhere.';

CREATE TABLE stats.counted_beers (
    beer_id bigint PRIMARY KEY, total int NOT NULL, type int, style int, brewery int, beer int
);
COMMENT ON TABLE stats.counted_beers IS 'The keys that a beer was counted under.';

CREATE TABLE stats.counted_clients (
    client_id text PRIMARY KEY,
    version bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    country text NOT NULL,
    state text NOT NULL,
    city text NOT NULL,
    client int NOT NULL GENERATED ALWAYS AS IDENTITY,
    in_state int,
    in_city int,
    newest timestamptz,
    beers bigint[],
    months int[],
    quantities bigint[]
);
COMMENT ON TABLE stats.counted_clients IS 'A client as it was counted: its place, and what it bought of each beer in each month (year * 12 + month).';

ALTER TABLE stats.counted_clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE stats.counted_clients FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON stats.counted_clients FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()));
CREATE POLICY rows_to_count ON stats.counted_clients TO bfy_stats USING (true) WITH CHECK (true);
CREATE POLICY canaries ON stats.counted_clients TO bfy_operator USING (client_id IN (SELECT c.client_id FROM core.clients c WHERE c.canary));
GRANT USAGE ON SCHEMA stats TO bfy_operator;
GRANT SELECT, DELETE ON stats.counted_clients TO bfy_operator;

CREATE TABLE stats.cells (
    key int, place int, month int, clients int NOT NULL, quantity bigint NOT NULL, largest bigint,
    PRIMARY KEY (key, place, month)
);
COMMENT ON TABLE stats.cells IS 'True counts, of the whole for each key and of all other cells for those that are counted. Month 0: the whole time. `largest` of a client; null: to be looked up.';

-- Who is taken out of it past the count is still in the cells: all is counted anew.
CREATE FUNCTION stats.count_anew() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = stats, pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM gone) THEN
        DELETE FROM counted_clients;
        DELETE FROM cells;
        UPDATE keys SET counted = false;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION stats.count_anew FROM PUBLIC;
CREATE TRIGGER taken_out AFTER DELETE ON stats.counted_clients REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT WHEN (current_user <> 'bfy_stats') EXECUTE FUNCTION stats.count_anew();

CREATE TABLE stats.noise (key int, place int, month int, noise float8 NOT NULL, PRIMARY KEY (key, place, month));
COMMENT ON TABLE stats.noise IS 'What the count of each cell is changed by in the period of `edition`: drawn once, from the secret.';

ALTER TABLE stats.edition ADD COLUMN noise_of text NOT NULL DEFAULT '';

CREATE VIEW stats.lines AS
SELECT c.client_id, c.client, c.in_state, c.in_city, l.beer_id, l.month, l.quantity, d.dimension, d.key
FROM stats.counted_clients c
CROSS JOIN LATERAL unnest(c.beers, c.months, c.quantities) AS l (beer_id, month, quantity)
JOIN stats.counted_beers b ON b.beer_id = l.beer_id
CROSS JOIN LATERAL (VALUES (0, b.total), (1, b.type), (2, b.style), (3, b.brewery), (4, b.beer)) AS d (dimension, key)
WHERE d.key IS NOT NULL;
COMMENT ON VIEW stats.lines IS 'What was counted, under each of its keys.';

CREATE VIEW stats.named AS
SELECT c.key, c.place, c.month, c.clients, k.text, (ARRAY['total', 'type', 'style', 'brewery', 'beer'])[k.dimension + 1] AS dimension,
       coalesce(p.country, '') AS country, coalesce(p.state, '') AS state, coalesce(p.city, '') AS city,
       CASE WHEN c.month > 0 THEN to_char(make_date((c.month - 1) / 12, (c.month - 1) % 12 + 1, 1), 'YYYY-MM') ELSE '' END AS month_text
FROM stats.cells c JOIN stats.keys k USING (key) LEFT JOIN stats.places p USING (place);
COMMENT ON VIEW stats.named IS 'Cells as they are published, by names.';
RESET ROLE;
