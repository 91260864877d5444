-- name: count_contributions
-- What each client contributes to each cell that may be published; as bfy_stats, and gone with the transaction.
CREATE TEMPORARY TABLE contributions ON COMMIT DROP AS
WITH lines AS (
    SELECT p.client_id, c.country, c.state, c.city, p.beer_id, to_char(p.purchased_on, 'YYYY-MM') AS month,
           sum(p.quantity) AS quantity, max(greatest(p.changed_at, c.changed_at)) AS changed_at
    FROM core.purchases p JOIN core.clients c USING (client_id)
    GROUP BY 1, 2, 3, 4, 5, 6
), named AS (
    SELECT l.*, b.style, b.brewery_type AS type, b.name AS beer, coalesce(w.name, b.brewery_name) AS brewery,
           coalesce(b.brewery_id, b.brewery_name) AS brewery_key
    FROM lines l JOIN core.beers b USING (beer_id) LEFT JOIN core.breweries w ON w.brewery_id = b.brewery_id
)
SELECT client_id, place.country, place.state, place.city, d.dimension, d.key, t.month, min(d.name) AS name,
       min(d.brewery) AS brewery, min(d.style) AS style, min(d.type) AS type,
       sum(quantity) AS quantity, max(changed_at) AS changed_at
FROM named n
CROSS JOIN LATERAL (VALUES
    (0, '', '', ''), (1, n.country, n.state, ''), (2, n.country, n.state, n.city)
) AS place (level, country, state, city)
CROSS JOIN LATERAL (VALUES
    ('total', '', '', '', '', ''), ('type', n.type, n.type, '', '', n.type), ('style', n.style, n.style, '', n.style, ''),
    ('brewery', n.brewery_key, n.brewery, n.brewery, '', n.type),
    ('beer', n.beer || chr(31) || n.brewery_key, n.beer, n.brewery, n.style, n.type)
) AS d (dimension, key, name, brewery, style, type)
CROSS JOIN LATERAL (VALUES (''), (n.month)) AS t (month)
WHERE (d.dimension = 'total' OR d.key <> '')
  AND (place.level = 0 OR place.state <> '') AND (place.level < 2 OR place.city <> '')
  -- months of the whole and of states, cities as a whole; no beers of a month in one state, no breweries of a city
  AND (t.month = '' OR place.level = 0 OR (place.level = 1 AND d.dimension IN ('total', 'type', 'style')))
  AND (place.level < 2 OR d.dimension <> 'brewery')
GROUP BY 1, 2, 3, 4, 5, 6, 7;

-- name: judge_cells
-- Which cells may be published, and what would be: in period $1, rules as in clients/statistics.py ($2 clients at least,
-- $3 scale of the noise, $4 clients that must have changed).
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
WITH counted AS (
    SELECT dimension, country, state, city, month, key, min(name) AS name, min(brewery) AS brewery, min(style) AS style,
           min(type) AS type, count(*) AS clients, max(quantity) AS largest, sum(quantity) AS quantity,
           array_agg(quantity) AS quantities, array_agg(changed_at) AS changes
    FROM contributions GROUP BY dimension, country, state, city, month, key
), cells AS (
    SELECT c.*, old.period AS last_period, old.published_at,
           concat_ws(chr(30), dimension, country, state, city, month, key, $1::text) AS cell
    FROM counted c LEFT JOIN stats.published old USING (dimension, country, state, city, month, key)
), clipped AS (
    -- what is cut off is no more than the scale of the noise, or as much of its upper half as is drawn
    SELECT c.*, CASE WHEN c.clients >= $2::int THEN (
               SELECT min(digit * power) FROM generate_series(1, 9) AS digit, unnest(ARRAY[1, 10, 100, 1000, 10000]) AS power
               WHERE (SELECT sum(greatest(q - digit * power, 0)) FROM unnest(quantities) AS q)
                     <= $3::float8 * (1 + stats.uniform(cell || 'clip')) / 2 * digit * power
           ) END AS clip
    FROM cells c
), drawn AS (
    SELECT *, (SELECT sum(least(q, clip)) FROM unnest(quantities) AS q) AS clipped,
           (SELECT count(*) FROM unnest(changes) AS at WHERE at > published_at) AS changed
    FROM clipped WHERE clip IS NOT NULL
    UNION ALL
    SELECT *, 0, 0 FROM clipped WHERE clip IS NULL
), noisy AS (
    -- CASE: most cells are too small for anything, and a draw costs more than a look
    SELECT *, CASE WHEN clients >= $2::int
                   THEN round((clients + $3::float8 * stats.laplace(cell || 'clients')) / 10) * 10 ELSE 0 END AS about_clients,
           CASE WHEN clients >= $2::int
                THEN clipped + $3::float8 * clip * stats.laplace(cell || 'quantity') ELSE 0 END AS about_quantity,
           -- at least $4, and nobody knows how many more: or the fifth is found out by bringing four
           CASE WHEN last_period IS NULL THEN true WHEN last_period = $1::text THEN false
                ELSE changed >= $4::int + floor($4::int * stats.uniform(cell || 'changed')) END AS anew
    FROM drawn
)
SELECT dimension, country, state, city, month, key, name, brewery, style, type, about_clients, anew,
       clients >= $2::int AND largest * 2 <= quantity AND about_clients >= 3 * $3::float8 AS fit,
       -- the noise is a third of it at most; to tens, hundreds... that are no more than it
       CASE WHEN about_quantity >= 3 * $3::float8 * clip
            THEN (round(about_quantity / step) * step)::bigint END AS told,
       ($3::float8 * clip)::bigint AS spread
FROM noisy CROSS JOIN LATERAL (SELECT 10 ^ floor(log($3::float8 * coalesce(clip, 1))) AS step) AS rounding;

-- name: hide_the_second
-- Where one cell alone is missing from a whole, the whole tells it: the smallest of the others goes with it.
WITH siblings AS (
    SELECT ctid AS cell, fit, about_clients, key, country, state, city, 'keys' AS of, concat_ws(chr(30), dimension, country, state, city, month) AS whole
    FROM judged WHERE dimension <> 'total'
    UNION ALL
    SELECT ctid, fit, about_clients, key, country, state, city, 'places',
           concat_ws(chr(30), dimension, month, key, CASE WHEN city <> '' THEN country || chr(30) || state END, city <> '')
    FROM judged WHERE state <> ''
), counted AS (
    SELECT *, count(*) FILTER (WHERE NOT fit) OVER w AS missing,
           row_number() OVER (PARTITION BY of, whole, fit ORDER BY about_clients, key, country, state, city) AS smallest
    FROM siblings WINDOW w AS (PARTITION BY of, whole)
)
UPDATE judged SET fit = false WHERE ctid IN (SELECT cell FROM counted WHERE missing = 1 AND fit AND smallest = 1);

-- name: withdraw
-- Cells that are due, and no longer fit; and cells that nobody contributes to any more.
DELETE FROM stats.published old
WHERE NOT EXISTS (
    SELECT FROM judged j
    WHERE (j.dimension, j.country, j.state, j.city, j.month, j.key) = (old.dimension, old.country, old.state, old.city, old.month, old.key)
      AND (j.fit OR NOT j.anew)
);

-- name: publish
-- New cells, and those that are due.
INSERT INTO stats.published (country, state, city, dimension, key, month, name, brewery, style, type, clients, quantity, spread, period, published_at)
SELECT country, state, city, dimension, key, month, name, brewery, style, type, about_clients, told, spread, $1, now()
FROM judged WHERE fit AND anew
ON CONFLICT (dimension, country, state, city, month, key) DO UPDATE
SET name = excluded.name, brewery = excluded.brewery, style = excluded.style, type = excluded.type, clients = excluded.clients,
    quantity = excluded.quantity, spread = excluded.spread, period = excluded.period, published_at = excluded.published_at;

