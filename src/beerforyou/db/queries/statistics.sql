-- name: one_at_a_time
LOCK TABLE stats.edition IN SHARE ROW EXCLUSIVE MODE;

-- name: number_keys
-- Numbers for beers and what they are counted under, where they have none yet.
INSERT INTO stats.keys (dimension, text)
SELECT DISTINCT d.dimension, d.text
FROM core.beers b
CROSS JOIN LATERAL (VALUES
    (0, ''), (1, b.brewery_type), (2, b.style), (3, coalesce(b.brewery_id, b.brewery_name)),
    (4, b.name || chr(31) || coalesce(b.brewery_id, b.brewery_name))
) AS d (dimension, text)
WHERE (d.dimension = 0 OR d.text <> '')
  AND NOT EXISTS (SELECT FROM stats.keys k WHERE (k.dimension, k.text) = (d.dimension, d.text));

-- name: number_states
INSERT INTO stats.places (country, state, city, inside)
SELECT DISTINCT c.country, c.state, '', 0
FROM core.clients c
WHERE c.state <> '' AND NOT EXISTS (SELECT FROM stats.places p WHERE (p.country, p.state, p.city) = (c.country, c.state, ''));

-- name: number_cities
INSERT INTO stats.places (country, state, city, inside)
SELECT DISTINCT c.country, c.state, c.city, s.place
FROM core.clients c JOIN stats.places s ON (s.country, s.state, s.city) = (c.country, c.state, '')
WHERE c.city <> '' AND NOT EXISTS (SELECT FROM stats.places p WHERE (p.country, p.state, p.city) = (c.country, c.state, c.city));

-- name: changed
-- Clients that are not as they were counted; or gone.
CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
SELECT client_id, c.purchases_version AS version, c.changed_at, c.country, c.state, c.city
FROM core.clients c FULL JOIN stats.counted_clients o USING (client_id)
WHERE (c.purchases_version, c.changed_at, c.country, c.state, c.city) IS DISTINCT FROM (o.version, o.changed_at, o.country, o.state, o.city);

-- name: was
-- What the changed ones contributed. (In the order of the places, as what follows: then the cells of a place are counted near each other.)
CREATE TEMPORARY TABLE was ON COMMIT DROP AS
SELECT c.in_state, c.in_city, l.dimension, l.key, l.month, l.quantity
FROM (SELECT * FROM stats.counted_clients JOIN changed USING (client_id) ORDER BY in_state, in_city) AS c
CROSS JOIN LATERAL stats.added_up(c.beers, c.months, c.quantities, NULL, NULL) AS l;

-- name: forget_beers
DELETE FROM stats.counted_beers;

-- name: count_beers
INSERT INTO stats.counted_beers (beer_id, total, type, style, brewery, beer)
SELECT b.beer_id, total.key, type.key, style.key, brewery.key, beer.key
FROM core.beers b
JOIN stats.keys total ON total.dimension = 0
LEFT JOIN stats.keys type ON (type.dimension, type.text) = (1, b.brewery_type)
LEFT JOIN stats.keys style ON (style.dimension, style.text) = (2, b.style)
LEFT JOIN stats.keys brewery ON (brewery.dimension, brewery.text) = (3, coalesce(b.brewery_id, b.brewery_name))
LEFT JOIN stats.keys beer ON (beer.dimension, beer.text) = (4, b.name || chr(31) || coalesce(b.brewery_id, b.brewery_name));

-- name: forget_clients
DELETE FROM stats.counted_clients o USING changed c WHERE o.client_id = c.client_id;

-- name: count_clients
INSERT INTO stats.counted_clients (client_id, version, changed_at, country, state, city, in_state, in_city, newest, beers, months, quantities)
WITH packed AS (
    SELECT client_id, max(p.changed_at) AS newest, array_agg(beer_id) AS beers, array_agg(quantity) AS quantities,
           array_agg((date_part('year', purchased_on) * 12 + date_part('month', purchased_on))::int) AS months
    FROM core.purchases p JOIN changed USING (client_id) GROUP BY client_id
)
SELECT c.client_id, c.version, c.changed_at, c.country, c.state, c.city, state.place, city.place,
       greatest(c.changed_at, p.newest), p.beers, p.months, p.quantities
FROM changed c
LEFT JOIN packed p USING (client_id)
LEFT JOIN stats.places state ON (state.country, state.state, state.city) = (c.country, c.state, '')
LEFT JOIN stats.places city ON (city.country, city.state, city.city) = (c.country, c.state, c.city) AND c.city <> ''
WHERE c.version IS NOT NULL;

-- name: contributions
-- What the changed ones contribute now.
CREATE TEMPORARY TABLE contributions ON COMMIT DROP AS
SELECT c.in_state, c.in_city, l.dimension, l.key, l.month, l.quantity
FROM (SELECT * FROM stats.counted_clients JOIN changed USING (client_id) ORDER BY in_state, in_city) AS c
CROSS JOIN LATERAL stats.added_up(c.beers, c.months, c.quantities, NULL, NULL) AS l;

-- name: know_contributions
-- Plans go by these sizes: they are a few lines, or everything.
ANALYZE was, contributions, stats.keys, stats.counted_clients (client_id, client, in_state, in_city);

-- name: moved
-- By how much cells are other than they were.
CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
WITH parts AS NOT MATERIALIZED (
    SELECT 1 AS sign, * FROM contributions UNION ALL SELECT -1, * FROM was
), placed AS (
    SELECT sign, key, 0 AS place, month, quantity FROM parts JOIN stats.keys k USING (key) WHERE k.counted AND month > 0
    UNION ALL
    SELECT sign, key, in_state, month, quantity FROM parts JOIN stats.keys k USING (key)
    WHERE k.counted AND in_state IS NOT NULL AND (month = 0 OR k.dimension < 3)
    UNION ALL
    SELECT sign, key, in_city, month, quantity FROM parts JOIN stats.keys k USING (key)
    WHERE k.counted AND in_city IS NOT NULL AND month = 0 AND k.dimension <> 3
    UNION ALL
    SELECT 1, key, 0, 0, quantity FROM contributions WHERE month = 0
    UNION ALL
    SELECT -1, key, 0, 0, quantity FROM was WHERE month = 0
)
SELECT key, place, month, sum(sign)::int AS clients, sum(sign * quantity)::bigint AS quantity,
       coalesce(max(quantity) FILTER (WHERE sign > 0), 0) AS largest, coalesce(max(quantity) FILTER (WHERE sign < 0), 0) AS largest_was
FROM placed GROUP BY 1, 2, 3;

-- name: move_cells
-- The largest is found out later where who had it has less, or where it is not known.
UPDATE stats.cells c
SET clients = c.clients + m.clients, quantity = c.quantity + m.quantity,
    largest = CASE WHEN m.largest >= c.largest OR m.largest_was < c.largest THEN greatest(c.largest, m.largest) END
FROM moved m WHERE (c.key, c.place, c.month) = (m.key, m.place, m.month);

-- name: add_cells
INSERT INTO stats.cells (key, place, month, clients, quantity, largest)
SELECT key, place, month, clients, quantity, largest FROM moved m
WHERE clients > 0 AND NOT EXISTS (SELECT FROM stats.cells c WHERE (c.key, c.place, c.month) = (m.key, m.place, m.month));

-- name: drop_empty
DELETE FROM stats.cells c USING moved m WHERE (c.key, c.place, c.month) = (m.key, m.place, m.month) AND c.clients = 0;

-- name: turned
-- Keys that are to be counted, at $1 clients or more, and are not yet, or the other way round.
CREATE TEMPORARY TABLE turned ON COMMIT DROP AS
SELECT k.key, k.dimension, NOT k.counted AS counted
FROM stats.keys k LEFT JOIN stats.cells c ON (c.key, c.place, c.month) = (k.key, 0, 0)
WHERE k.counted <> (coalesce(c.clients, 0) >= $1::int);

-- name: turn
UPDATE stats.keys k SET counted = t.counted FROM turned t WHERE k.key = t.key;

-- name: know_turned
ANALYZE turned;

-- name: keys_turned
SELECT array_agg(key) FROM turned WHERE counted;

-- name: drop_cells
DELETE FROM stats.cells c USING turned t WHERE c.key = t.key AND NOT t.counted AND NOT (c.place = 0 AND c.month = 0);

-- name: beers_of
-- Those that are counted under one of these keys ($1).
SELECT array_agg(beer_id) FROM stats.counted_beers
WHERE total = ANY($1::int[]) OR type = ANY($1) OR style = ANY($1) OR brewery = ANY($1) OR beer = ANY($1);

-- name: contributions_of_others
-- What those who didn't change contribute to these keys ($1), by their beers ($2).
INSERT INTO contributions
SELECT c.in_state, c.in_city, l.dimension, l.key, l.month, l.quantity
FROM (SELECT * FROM stats.counted_clients WHERE client_id NOT IN (SELECT client_id FROM changed) ORDER BY in_state, in_city) AS c
CROSS JOIN LATERAL stats.added_up(c.beers, c.months, c.quantities, $1::int[], $2::bigint[]) AS l;

-- name: count_cells
-- All cells of the keys that are counted from now on, but for their whole, which is there: months of the whole and of states,
-- cities as a whole; no beers of a month in one state, no breweries of a city.
INSERT INTO stats.cells (key, place, month, clients, quantity, largest)
SELECT key, 0 AS place, month, count(*), sum(quantity), max(quantity)
FROM contributions WHERE key = ANY($1::int[]) AND month > 0 GROUP BY key, month
UNION ALL
SELECT key, in_state, month, count(*), sum(quantity), max(quantity)
FROM contributions WHERE key = ANY($1::int[]) AND in_state IS NOT NULL AND (month = 0 OR dimension < 3) GROUP BY key, in_state, month
UNION ALL
SELECT key, in_city, 0, count(*), sum(quantity), max(quantity)
FROM contributions WHERE key = ANY($1::int[]) AND in_city IS NOT NULL AND month = 0 AND dimension <> 3 GROUP BY key, in_city
ORDER BY key, place, month;

-- name: know_cells
ANALYZE stats.cells;

-- name: old_noise
-- Is gone with its period ($1).
DELETE FROM stats.noise WHERE (SELECT noise_of FROM stats.edition) <> $1;

-- name: draw_noise
-- For cells of $2 clients or more that have none; as stats.laplace does, which costs ten times as much a call.
INSERT INTO stats.noise (key, place, month, noise)
SELECT key, place, month, -sign(u) * ln(1 - 2 * abs(u))
FROM (
    SELECT key, place, month, (('x' || left(encode(sha256(s.secret || convert_to(
               concat_ws(chr(30), dimension, country, state, city, month_text, text, $1::text) || 'clients', 'UTF8'
           )), 'hex'), 12))::bit(48)::bigint + 0.5) / 2 ^ 48 - 0.5 AS u
    FROM stats.named c CROSS JOIN stats.secret s
    WHERE clients >= $2::int AND NOT EXISTS (SELECT FROM stats.noise n WHERE (n.key, n.place, n.month) = (c.key, c.place, c.month))
) AS drawn;

-- name: note_period
UPDATE stats.edition SET noise_of = $1 WHERE noise_of <> $1;

-- name: there
-- What is published, by numbers; without a cell, where nobody is left, or too few for the key to be counted.
CREATE TEMPORARY TABLE there ON COMMIT DROP AS
SELECT o.ctid AS row, o.period, o.published_at, k.key, k.counted, CASE WHEN o.state = '' THEN 0 ELSE p.place END AS place,
       CASE WHEN o.month = '' THEN 0 ELSE left(o.month, -3)::int * 12 + right(o.month, 2)::int END AS month
FROM stats.published o
LEFT JOIN stats.keys k ON (k.dimension, k.text) = (array_position(ARRAY['total', 'type', 'style', 'brewery', 'beer'], o.dimension) - 1, o.key)
LEFT JOIN stats.places p ON (p.country, p.state, p.city) = (o.country, o.state, o.city);

-- name: know_there
ANALYZE there, stats.noise;

-- name: judge
-- Cells of $1 clients or more. Whether one client stands out is looked up where it isn't known, by `find_the_largest`.
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
SELECT c.key, c.place, c.month, k.dimension, c.quantity, c.largest, round((c.clients + $2::float8 * n.noise) / 10) * 10 AS about_clients,
       t.period AS last_period, t.published_at, false AS fit, true AS anew
FROM stats.cells c JOIN stats.noise n USING (key, place, month) JOIN stats.keys k USING (key) LEFT JOIN there t USING (key, place, month)
WHERE c.clients >= $1::int;

-- name: find_the_largest
-- Where it is not known and matters.
WITH unknown AS (
    SELECT key, place, month FROM judged WHERE largest IS NULL AND about_clients >= 3 * $1::float8
), contributions AS (
    SELECT u.key, u.place, u.month, sum(l.quantity) AS quantity
    FROM (SELECT * FROM stats.lines WHERE key IN (SELECT key FROM unknown) OFFSET 0) AS l  -- by key, before anything else
    JOIN unknown u ON u.key = l.key AND u.month IN (0, l.month) AND u.place IN (0, l.in_state, l.in_city)
    WHERE EXISTS (SELECT FROM unknown)
    GROUP BY u.key, u.place, u.month, l.client
), found AS (
    UPDATE stats.cells c SET largest = f.largest
    FROM (SELECT key, place, month, max(quantity) AS largest FROM contributions GROUP BY 1, 2, 3) AS f
    WHERE (c.key, c.place, c.month) = (f.key, f.place, f.month)
    RETURNING c.key, c.place, c.month, c.largest
)
UPDATE judged j SET largest = f.largest FROM found f WHERE (j.key, j.place, j.month) = (f.key, f.place, f.month);

-- name: fit
-- Nobody stands out, and it is enough with noise.
UPDATE judged SET fit = true WHERE largest * 2 <= quantity AND about_clients >= 3 * $1::float8;

-- name: due
-- Not in the same period ($1); later when at least $2 clients changed, and nobody knows how many more: or the fifth is
-- found out by bringing four.
WITH old AS (
    SELECT * FROM judged WHERE last_period IS NOT NULL AND last_period <> $1::text
), since AS (
    SELECT min(published_at) AS at FROM old
), newer AS (
    SELECT o.key, o.place, o.month, count(DISTINCT c.client_id) AS changed
    FROM since
    JOIN stats.counted_clients c ON c.newest > since.at
    JOIN core.purchases p ON p.client_id = c.client_id AND greatest(p.changed_at, c.changed_at) > since.at
    JOIN stats.counted_beers b USING (beer_id)
    CROSS JOIN LATERAL (VALUES (b.total), (b.type), (b.style), (b.brewery), (b.beer)) AS k (key)
    JOIN old o ON o.key = k.key AND o.place IN (0, c.in_state, c.in_city)
      AND o.month IN (0, date_part('year', p.purchased_on) * 12 + date_part('month', p.purchased_on))
      AND greatest(p.changed_at, c.changed_at) > o.published_at
    GROUP BY 1, 2, 3
), drawn AS (
    SELECT key, place, month, coalesce(n.changed, 0) >= $2::int + floor($2::int * stats.uniform(
               concat_ws(chr(30), dimension, country, state, city, month_text, text, $1::text) || 'changed'
           )) AS anew
    FROM (SELECT key, place, month FROM old) AS o JOIN stats.named USING (key, place, month) LEFT JOIN newer n USING (key, place, month)
)
UPDATE judged j SET anew = coalesce(d.anew, false)
FROM judged same LEFT JOIN drawn d USING (key, place, month)
WHERE (j.key, j.place, j.month) = (same.key, same.place, same.month) AND same.last_period IS NOT NULL;

-- name: smallest
-- The smallest fit cell of each whole, where it is due: keys are parts of a place in a month, places parts of what they are in.
CREATE TEMPORARY TABLE smallest ON COMMIT DROP AS
SELECT * FROM (
    SELECT DISTINCT ON (of, a, b, c) of, a, b, c, key, place, month, anew
    FROM (
        SELECT 'keys' AS of, dimension AS a, place AS b, month AS c, key, place, month, about_clients, anew
        FROM judged WHERE fit AND dimension > 0
        UNION ALL
        SELECT 'places', key, month, p.inside, key, place, month, about_clients, anew
        FROM judged JOIN stats.places p USING (place) WHERE fit
    ) AS parts
    JOIN stats.named n USING (key, place, month)
    ORDER BY of, a, b, c, about_clients, n.text, n.country, n.state, n.city
) AS first WHERE anew;

-- name: know_smallest
ANALYZE smallest, judged;

-- name: seen_missing
-- Of each of these wholes, the cells that are not fit or have too few to be judged.
CREATE TEMPORARY TABLE missing ON COMMIT DROP AS
WITH found AS (
    SELECT s.of, s.a, s.b, s.c
    FROM smallest s JOIN stats.cells c ON (c.place, c.month) = (s.b, s.c) JOIN stats.keys k ON (k.key, k.dimension) = (c.key, s.a)
    LEFT JOIN judged j ON (j.key, j.place, j.month) = (c.key, c.place, c.month)
    WHERE s.of = 'keys' AND j.fit IS NOT TRUE
    UNION ALL
    SELECT s.of, s.a, s.b, s.c
    FROM smallest s JOIN stats.cells c ON (c.key, c.month) = (s.a, s.b) JOIN stats.places p ON (p.place, p.inside) = (c.place, s.c)
    LEFT JOIN judged j ON (j.key, j.place, j.month) = (c.key, c.place, c.month)
    WHERE s.of = 'places' AND j.fit IS NOT TRUE
)
SELECT of, a, b, c, s.key, s.place, s.month, coalesce(n, 0) AS n
FROM smallest s LEFT JOIN (SELECT of, a, b, c, count(*) AS n FROM found GROUP BY of, a, b, c) AS f USING (of, a, b, c)
WHERE coalesce(n, 0) < 2;

-- name: hide_the_second
-- Where one cell alone is missing from a whole, the whole tells it: the smallest of the others goes with it. Keys that are
-- not counted are missing, too; there are cells of theirs for the whole alone.
WITH uncounted AS (
    SELECT d.dimension, d.key, b.beer_id
    FROM stats.counted_beers b
    CROSS JOIN LATERAL (VALUES (1, b.type), (2, b.style), (3, b.brewery), (4, b.beer)) AS d (dimension, key)
    JOIN stats.keys k USING (key) WHERE NOT k.counted
), more AS (
    SELECT m.a, m.b, m.c, count(DISTINCT u.key) AS n
    FROM stats.counted_clients c
    CROSS JOIN LATERAL unnest(c.beers, c.months) AS l (beer_id, month)
    JOIN uncounted u USING (beer_id)
    JOIN missing m ON m.a = u.dimension AND m.b IN (0, c.in_state, c.in_city) AND m.c IN (0, l.month)
    WHERE m.of = 'keys' AND (m.b, m.c) <> (0, 0) AND EXISTS (SELECT FROM missing WHERE of = 'keys' AND (b, c) <> (0, 0)) AND EXISTS (SELECT FROM uncounted)
    GROUP BY 1, 2, 3
)
UPDATE judged j SET fit = false
FROM missing m LEFT JOIN more o ON m.of = 'keys' AND (m.a, m.b, m.c) = (o.a, o.b, o.c)
WHERE (j.key, j.place, j.month) = (m.key, m.place, m.month) AND m.n + coalesce(o.n, 0) = 1;

-- name: withdraw
-- Cells that are due, and no longer fit; and cells that nobody contributes to any more.
WITH uncounted AS (
    SELECT * FROM there WHERE NOT counted AND place IS NOT NULL AND (place, month) <> (0, 0)
), bought AS (
    SELECT DISTINCT u.row FROM uncounted u
    JOIN stats.lines l ON l.key = u.key AND u.month IN (0, l.month) AND u.place IN (0, l.in_state, l.in_city)
    WHERE EXISTS (SELECT FROM uncounted)
)
DELETE FROM stats.published o
USING there t LEFT JOIN stats.cells c USING (key, place, month) LEFT JOIN judged j USING (key, place, month)
WHERE o.ctid = t.row
  AND CASE WHEN j.key IS NOT NULL THEN j.anew AND NOT j.fit
           ELSE c.key IS NULL AND NOT EXISTS (SELECT FROM bought b WHERE b.row = t.row) END;

-- name: wanted
CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS cell, key, place, month, about_clients FROM judged WHERE fit AND anew;

-- name: know_wanted
-- Together they name a cell: or plans take it for so many of a kind that they look for cells from the wrong side.
CREATE STATISTICS pg_temp.of_wanted (ndistinct) ON key, place, month FROM wanted;
ANALYZE wanted;

-- name: keys_of_others
-- What of it only the changed ones have been looked at for.
SELECT array_agg(DISTINCT key) FROM wanted WHERE key NOT IN (SELECT key FROM turned WHERE counted);

-- name: publish
-- New cells, and those that are due, in period $1 and with noise of scale $2.
INSERT INTO stats.published (country, state, city, dimension, key, month, name, brewery, style, type, clients, quantity, period, published_at)
WITH named_beers AS (
    SELECT b.beer_id, d.key, d.name, d.brewery, d.style, d.type
    FROM stats.counted_beers b JOIN core.beers n USING (beer_id) LEFT JOIN core.breweries w ON w.brewery_id = n.brewery_id
    CROSS JOIN LATERAL (SELECT coalesce(w.name, n.brewery_name) AS brewery) AS of
    CROSS JOIN LATERAL (VALUES
        (b.total, '', '', '', ''), (b.type, n.brewery_type, '', '', n.brewery_type), (b.style, n.style, '', n.style, ''),
        (b.brewery, of.brewery, of.brewery, '', n.brewery_type), (b.beer, n.name, of.brewery, n.style, n.brewery_type)
    ) AS d (key, name, brewery, style, type)
    WHERE d.key IN (SELECT key FROM wanted)
), names AS (
    SELECT key, min(name) AS name, min(brewery) AS brewery, min(style) AS style, min(type) AS type,
           count(DISTINCT (name, brewery, style, type)) = 1 AS sure
    FROM named_beers GROUP BY key
), unsure AS (
    SELECT w.key, w.place, w.month, min(n.name) AS name, min(n.brewery) AS brewery, min(n.style) AS style, min(n.type) AS type
    FROM names s JOIN wanted w USING (key)
    JOIN stats.lines l ON l.key = w.key AND w.month IN (0, l.month) AND w.place IN (0, l.in_state, l.in_city)
    JOIN named_beers n ON (n.beer_id, n.key) = (l.beer_id, l.key)
    WHERE NOT s.sure GROUP BY 1, 2, 3
), bought AS (
    SELECT cell, quantity FROM contributions c JOIN wanted w ON w.place = 0 AND (w.key, w.month) = (c.key, c.month)
    UNION ALL
    SELECT cell, quantity FROM contributions c JOIN wanted w ON (w.key, w.place, w.month) = (c.key, c.in_state, c.month)
    WHERE c.month = 0 OR c.dimension < 3
    UNION ALL
    SELECT cell, quantity FROM contributions c JOIN wanted w ON (w.key, w.place, w.month) = (c.key, c.in_city, c.month)
    WHERE c.month = 0
), sorted AS MATERIALIZED (
    SELECT key, place, month, about_clients, quantities
    FROM (SELECT cell, array_sort(array_agg(quantity)) AS quantities FROM bought GROUP BY cell) AS b JOIN wanted USING (cell)
), counted AS MATERIALIZED (
    -- Nobody counts for more than nine in ten of the others do. (As percentile_disc counts.)
    SELECT *, quantities[ceil(0.9::float8 * cardinality(quantities))::int] AS clip FROM sorted
), noisy AS MATERIALIZED (
    SELECT n.*, c.about_clients, c.clip, (SELECT sum(least(q, c.clip)) FROM unnest(c.quantities) AS q) + $2::float8 * c.clip * stats.laplace(
               concat_ws(chr(30), dimension, country, state, city, month_text, text, $1::text) || 'quantity'
           ) AS about_quantity
    FROM counted c JOIN stats.named n USING (key, place, month)
)
SELECT country, state, city, dimension, n.text, month_text, coalesce(u.name, s.name), coalesce(u.brewery, s.brewery),
       coalesce(u.style, s.style), coalesce(u.type, s.type), about_clients,
       -- the noise is a third of it at most; to two digits
       CASE WHEN about_quantity > 0 AND about_quantity >= 3 * $2::float8 * clip
            THEN round(about_quantity::numeric, 1 - floor(log(about_quantity::numeric))::int)::bigint END, $1, now()
FROM noisy n JOIN names s USING (key) LEFT JOIN unsure u USING (key, place, month)
ON CONFLICT (dimension, country, state, city, month, key) DO UPDATE
SET name = excluded.name, brewery = excluded.brewery, style = excluded.style, type = excluded.type, clients = excluded.clients,
    quantity = excluded.quantity, period = excluded.period, published_at = excluded.published_at;

-- name: cells
-- Published cells of a dimension ($1), in a place ($2, $3: state, city; `each` for all of them one by one), of a
-- month ($4, `each`), filtered by name ($5), brewery ($6), style ($7), type ($8); by $9 and in direction $10, at most $11.
SELECT name, brewery, country, state, city, month, clients, quantity, count(*) OVER () AS of,
       (SELECT edition FROM stats.edition) AS edition
FROM stats.published
WHERE dimension = $1
  AND CASE $2 WHEN '' THEN state = '' WHEN 'each' THEN state <> '' ELSE lower(state) = lower($2) END
  AND CASE $3 WHEN '' THEN city = '' WHEN 'each' THEN city <> '' ELSE lower(city) = lower($3) END
  AND CASE $4 WHEN 'each' THEN month <> '' ELSE month = $4 END
  AND ($5 = '' OR name ILIKE $5) AND ($6 = '' OR brewery ILIKE $6) AND ($7 = '' OR style ILIKE $7) AND ($8 = '' OR type = $8)
ORDER BY CASE WHEN $4 = 'each' THEN month END,
         CASE WHEN $10 = 'most' THEN CASE WHEN $9 = 'quantity' THEN quantity ELSE clients END END DESC NULLS LAST,
         CASE WHEN $10 = 'least' THEN CASE WHEN $9 = 'quantity' THEN quantity ELSE clients END END NULLS LAST,
         clients DESC, name
LIMIT $11;

-- name: new_edition
-- Whoever remembers something of the last one knows by this that it was.
UPDATE stats.edition SET edition = edition + 1;

-- name: summary
-- How much is published, and since when.
SELECT count(*) AS cells, max(published_at) AS published_at FROM stats.published;
