-- name: stage
-- Where the lines of an operator's files wait to be judged, and the days that judge them: today in each time zone, and under
-- the empty name where the installation is. Columns as in clients/columns.py, in its order.
CREATE TEMPORARY TABLE staged_clients (
    line bigint, client_id text, name text, city text, state text, country text, postal_code text, language text,
    time_zone text
);
CREATE TEMPORARY TABLE staged_purchases (
    line bigint, purchase_id text, client_id text, purchased_on date, beer text, style text, brewery text,
    brewery_city text, brewery_state text, quantity int, unit_price numeric(12, 2)
);
CREATE TEMPORARY TABLE staged_days (time_zone text, today date);

-- name: unstage
-- Their end.
DROP TABLE IF EXISTS pg_temp.staged_clients, pg_temp.staged_purchases, pg_temp.staged_days;

-- name: analyze_staged
-- Nobody else gathers statistics of temporary tables.
ANALYZE staged_clients;
ANALYZE staged_purchases;
ANALYZE staged_days;

-- name: analyze
-- Statistics of what `load` and `catalogue sync` write.
ANALYZE clients, beers, purchases, profiles, catalogue_versions, breweries, brewery_aliases;

-- name: repeated_clients
-- Takes out the later of two lines with the same id; the first $1 of them, and how many they were.
WITH twice AS (
    SELECT client_id, min(line) AS first FROM staged_clients GROUP BY client_id HAVING count(*) > 1
), gone AS (
    DELETE FROM staged_clients s USING twice t
    WHERE s.client_id = t.client_id AND s.line > t.first
    RETURNING s.line, s.client_id, t.first
)
SELECT line, first, client_id AS id, count(*) OVER () FROM gone ORDER BY line LIMIT $1;

-- name: repeated_purchases
-- The same for purchases, whose ids are their client's.
WITH twice AS (
    SELECT client_id, purchase_id, min(line) AS first FROM staged_purchases
    GROUP BY client_id, purchase_id HAVING count(*) > 1
), gone AS (
    DELETE FROM staged_purchases s USING twice t
    WHERE s.client_id = t.client_id AND s.purchase_id = t.purchase_id AND s.line > t.first
    RETURNING s.line, s.purchase_id, s.client_id, t.first
)
SELECT line, first, purchase_id AS id, client_id, count(*) OVER () FROM gone ORDER BY line LIMIT $1;

-- name: strangers
-- Takes out purchases of clients that nobody knows.
WITH gone AS (
    DELETE FROM staged_purchases s
    WHERE NOT EXISTS (SELECT FROM staged_clients c WHERE c.client_id = s.client_id)
      AND NOT EXISTS (SELECT FROM clients c WHERE c.client_id = s.client_id)
    RETURNING s.line, s.client_id
)
SELECT line, client_id AS id, count(*) OVER () FROM gone ORDER BY line LIMIT $1;

-- name: unknown_time_zones
-- Takes out clients in a time zone that this server does not know, though we do.
WITH gone AS (
    DELETE FROM staged_clients s
    WHERE s.time_zone <> '' AND s.time_zone NOT IN (SELECT name FROM pg_timezone_names)
    RETURNING s.line, s.time_zone
)
SELECT line, time_zone AS id, count(*) OVER () FROM gone ORDER BY line LIMIT $1;

-- name: in_the_future
-- Takes out purchases of a day that is yet to come where their client is. Tomorrow may be: not every client's time zone is
-- known, and elsewhere it has begun.
WITH early AS MATERIALIZED (
    SELECT line, client_id FROM staged_purchases
    WHERE purchased_on > (SELECT min(today) FROM staged_days) + 1
), gone AS (
    DELETE FROM staged_purchases s
    USING early e
    LEFT JOIN staged_clients n USING (client_id)
    LEFT JOIN clients c USING (client_id)
    JOIN staged_days d ON d.time_zone = coalesce(n.time_zone, c.time_zone, '')
    WHERE s.line = e.line AND s.purchased_on > d.today + 1
    RETURNING s.line, s.purchased_on, d.today
)
SELECT line, purchased_on AS id, today, count(*) OVER () FROM gone ORDER BY line LIMIT $1;

-- name: count_staged
-- The good lines.
SELECT (SELECT count(*) FROM staged_clients) AS clients, (SELECT count(*) FROM staged_purchases) AS purchases;

-- name: one_at_a_time
-- A second load waits here until the first is committed.
LOCK TABLE beers IN SHARE ROW EXCLUSIVE MODE;

-- name: merge_clients
-- New clients, and what changed of the others. Who has no language is answered in that of the country.
INSERT INTO clients (client_id, name, city, state, country, postal_code, time_zone, language)
SELECT client_id, name, city, state, country, postal_code, time_zone,
       CASE WHEN language <> '' THEN language
            WHEN lower(country) IN ('brazil', 'brasil', 'portugal') THEN 'pt'
            ELSE 'en' END
FROM staged_clients
ON CONFLICT (client_id) DO UPDATE
SET name = excluded.name, city = excluded.city, state = excluded.state, country = excluded.country,
    postal_code = excluded.postal_code, language = excluded.language, time_zone = excluded.time_zone, changed_at = now()
WHERE (clients.name, clients.city, clients.state, clients.country, clients.postal_code, clients.language,
       clients.time_zone)
    IS DISTINCT FROM
      (excluded.name, excluded.city, excluded.state, excluded.country, excluded.postal_code, excluded.language,
       excluded.time_zone);

-- name: merge_beers
-- New beers; a style where there was none, or another.
INSERT INTO beers (name, brewery_name, brewery_city, brewery_state, style)
SELECT beer, brewery, brewery_city, brewery_state, max(style) FROM staged_purchases GROUP BY 1, 2, 3, 4
ON CONFLICT (name, brewery_name, brewery_city, brewery_state) DO UPDATE
SET style = excluded.style
WHERE excluded.style <> '' AND beers.style <> excluded.style;

-- name: last_line
-- Where the file of purchases ends.
SELECT coalesce(max(line), 0) FROM staged_purchases;

-- name: merge_purchases
-- New purchases, and what changed of the others: lines $1 to before $2. In the order in which they are read later.
INSERT INTO purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price,
                       shown_beer, shown_style, shown_brewery, shown_brewery_id, shown_type, shown_city, shown_state)
SELECT s.client_id, s.purchase_id, s.purchased_on, b.beer_id, s.quantity, s.unit_price,
       b.beer, b.style, b.brewery, b.brewery_id, b.type, b.city, b.state
FROM staged_purchases s
JOIN beers_by_name b ON b.beer = s.beer AND b.brewery_name = s.brewery
    AND b.brewery_city = s.brewery_city AND b.brewery_state = s.brewery_state
WHERE s.line >= $1 AND s.line < $2
ORDER BY s.client_id, s.purchased_on
ON CONFLICT (client_id, purchase_id) DO UPDATE
SET purchased_on = excluded.purchased_on, beer_id = excluded.beer_id, quantity = excluded.quantity,
    unit_price = excluded.unit_price, changed_at = now()
WHERE (purchases.purchased_on, purchases.beer_id, purchases.quantity, purchases.unit_price)
    IS DISTINCT FROM (excluded.purchased_on, excluded.beer_id, excluded.quantity, excluded.unit_price);

-- name: unlinked_breweries
-- Breweries of beers, as operators spell them, that are not linked to the catalogue.
SELECT DISTINCT brewery_name, brewery_city, brewery_state FROM beers WHERE brewery_id IS NULL;

-- name: all_breweries
-- All of them, for a catalogue that has changed.
SELECT DISTINCT brewery_name, brewery_city, brewery_state FROM beers;

-- name: link_breweries
-- Links spellings ($1, $2, $3: name, city, state) to catalogue identities ($4, or null).
UPDATE beers
SET brewery_id = found.brewery_id, brewery_type = coalesce(found.brewery_type, '')
FROM (
    SELECT k.name, k.city, k.state, b.brewery_id, b.brewery_type
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (name, city, state, brewery_id)
    LEFT JOIN breweries b ON b.brewery_id = k.brewery_id
) found
WHERE (beers.brewery_name, beers.brewery_city, beers.brewery_state) = (found.name, found.city, found.state)
  AND (beers.brewery_id, beers.brewery_type) IS DISTINCT FROM (found.brewery_id, coalesce(found.brewery_type, ''));

-- name: next_clients
-- The next $2 clients after $1, of all or of those in $3.
SELECT client_id FROM clients
WHERE client_id > $1 AND ($3::text[] IS NULL OR client_id = ANY ($3))
ORDER BY client_id
LIMIT $2;

-- name: compute_profiles
-- Profiles of clients $1: tastes of the last $2 days or of all time, $3 of each; all breweries ever bought. What day it is in
-- time zones $4 say days $5; the empty name is the installation's.
WITH days AS MATERIALIZED (
    SELECT * FROM unnest($4::text[], $5::date[]) AS d (time_zone, today)
), chosen AS MATERIALIZED (
    SELECT c.*, coalesce(d.today, here.today) AS today
    FROM clients c JOIN days here ON here.time_zone = '' LEFT JOIN days d ON d.time_zone = c.time_zone
    WHERE client_id = ANY ($1::text[])
), per_beer AS MATERIALIZED (
    SELECT client_id, beer_id, sum(quantity) AS quantity, count(*) AS orders, sum(quantity * unit_price) AS amount,
           coalesce(sum(quantity) FILTER (WHERE purchased_on > today - $2::int), 0) AS recent,
           min(purchased_on) AS first, max(purchased_on) AS last
    FROM purchases JOIN chosen USING (client_id)
    WHERE client_id = ANY ($1::text[]) AND purchased_on <= today
    GROUP BY client_id, beer_id
), bought AS MATERIALIZED (
    -- One spelling of a brewery: the catalogue's where it knows it. `counted` is the quantity in the window.
    SELECT p.*, b.name AS beer, b.style, b.brewery_id, coalesce(c.name, b.brewery_name) AS brewery,
           coalesce(c.city, b.brewery_city) AS city, coalesce(c.state, b.brewery_state) AS state,
           b.brewery_type AS type,
           CASE WHEN sum(p.recent) OVER client > 0 THEN p.recent ELSE p.quantity END AS counted,
           CASE WHEN sum(p.recent) OVER client > 0 THEN '90d' ELSE 'all' END AS window_name
    FROM per_beer p
    JOIN beers b USING (beer_id)
    LEFT JOIN breweries c ON c.brewery_id = b.brewery_id
    WINDOW client AS (PARTITION BY p.client_id)
), ranked_shares AS (
    SELECT client_id, dimension, name, quantity, round(quantity / sum(quantity) OVER dimension, 4) AS share,
           row_number() OVER (dimension ORDER BY quantity DESC, name) AS place
    FROM (
        SELECT client_id, dimension, name, sum(counted) AS quantity
        FROM bought CROSS JOIN LATERAL (VALUES ('type', type), ('style', style)) AS d (dimension, name)
        WHERE counted > 0 AND name NOT IN ('', 'closed', 'planning')
        GROUP BY client_id, dimension, name
    ) shares
    WINDOW dimension AS (PARTITION BY client_id, dimension)
), shares AS (
    SELECT client_id, dimension,
           jsonb_agg(jsonb_build_object('name', name, 'quantity', quantity, 'share', share) ORDER BY place) AS data
    FROM ranked_shares
    WHERE dimension = 'type' OR place <= $3
    GROUP BY client_id, dimension
), ranked_beers AS (
    SELECT client_id, beer, brewery, brewery_id, max(style) AS style, sum(counted) AS quantity,
           row_number() OVER (PARTITION BY client_id ORDER BY sum(counted) DESC, beer, brewery, brewery_id) AS place
    FROM bought
    WHERE counted > 0
    GROUP BY client_id, beer, brewery, brewery_id
), top_beers AS (
    SELECT client_id, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'name', beer, 'brewery', brewery, 'brewery_id', brewery_id, 'style', nullif(style, ''), 'quantity', quantity
    )) ORDER BY place) AS data
    FROM ranked_beers
    WHERE place <= $3
    GROUP BY client_id
), per_brewery AS MATERIALIZED (
    SELECT client_id, brewery_id, brewery, city, state, max(type) AS type, sum(quantity) AS quantity,
           sum(orders) AS orders, sum(counted) AS counted, min(first) AS first, max(last) AS last
    FROM bought
    GROUP BY client_id, brewery_id, brewery, city, state
), ranked_breweries AS (
    SELECT *, round(counted / nullif(sum(counted) OVER client, 0), 4) AS share,
           row_number() OVER (client ORDER BY counted DESC, brewery, brewery_id) AS place
    FROM per_brewery
    WINDOW client AS (PARTITION BY client_id)
), all_breweries AS (
    SELECT client_id,
           jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'name', brewery, 'brewery_id', brewery_id, 'quantity', counted, 'share', share
           )) ORDER BY place) FILTER (WHERE place <= $3 AND counted > 0) AS top,
           jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'name', brewery, 'brewery_id', brewery_id, 'city', city, 'state', state, 'type', nullif(type, ''),
               'first', first, 'last', last, 'quantity', quantity, 'orders', orders
           )) ORDER BY quantity DESC, brewery, brewery_id, city, state) AS history,
           count(*) AS breweries
    FROM ranked_breweries
    GROUP BY client_id
), totals AS (
    SELECT client_id, max(window_name) AS window_name, sum(quantity) AS quantity, sum(orders) AS orders,
           sum(amount) AS amount, min(first) AS first, max(last) AS last,
           count(DISTINCT (coalesce(brewery_id, brewery), beer)) AS beers
    FROM bought
    GROUP BY client_id
), profile AS (
    SELECT c.client_id, jsonb_build_object(
        'name', c.name, 'city', c.city, 'state', c.state, 'country', c.country, 'postal_code', c.postal_code,
        'language', c.language, 'window', coalesce(t.window_name, 'all'),
        'types', coalesce(types.data, '[]'), 'styles', coalesce(styles.data, '[]'),
        'beers', coalesce(top_beers.data, '[]'), 'breweries', coalesce(b.top, '[]'), 'history', coalesce(b.history, '[]'),
        'totals', CASE WHEN t.client_id IS NULL THEN '{}' ELSE jsonb_build_object(
            'quantity', t.quantity, 'orders', t.orders, 'amount', t.amount, 'beers', t.beers,
            'breweries', b.breweries, 'first', t.first, 'last', t.last) END
    ) AS data
    FROM chosen c
    LEFT JOIN totals t USING (client_id)
    LEFT JOIN shares types ON types.client_id = c.client_id AND types.dimension = 'type'
    LEFT JOIN shares styles ON styles.client_id = c.client_id AND styles.dimension = 'style'
    LEFT JOIN top_beers ON top_beers.client_id = c.client_id
    LEFT JOIN all_breweries b ON b.client_id = c.client_id
)
INSERT INTO profiles (client_id, version, computed_at, data)
SELECT client_id, left(encode(sha256(convert_to(data::text, 'UTF8')), 'hex'), 16), now(), data FROM profile
ON CONFLICT (client_id) DO UPDATE
SET version = excluded.version, computed_at = excluded.computed_at, data = excluded.data;

-- name: profile
-- The caller's own.
SELECT data, version FROM profiles WHERE client_id = me.client_id;

-- name: purchases_version
-- Of the caller's own.
SELECT purchases_version AS version FROM clients WHERE client_id = me.client_id;

-- name: known
-- Whether there is a client $1. Asked by the service.
SELECT EXISTS (SELECT FROM clients WHERE client_id = $1) AS known;

-- name: who
-- The caller, as tools know it.
SELECT name, city, state, country, language, time_zone FROM clients WHERE client_id = me.client_id;
