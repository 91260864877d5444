-- name: answer
-- Purchases of one client, measured ($2) by one dimension ($3, empty for the whole), within dates and filters.
-- Rows come by value ($4 most or least) or, $5, by key; `overall` is the measure of everything that the filters leave.
WITH lines AS (
    SELECT p.purchased_on, p.quantity, p.quantity * p.unit_price AS amount,
           b.name AS beer, b.brewery_name AS brewery, coalesce(b.brewery_id, b.brewery_name) AS brewery_key, b.style,
           b.brewery_type AS type, b.brewery_city AS city, b.brewery_state AS state
    FROM purchases p JOIN beers b USING (beer_id)
    WHERE p.client_id = me.client_id
      AND ($6::date IS NULL OR p.purchased_on >= $6) AND ($7::date IS NULL OR p.purchased_on < $7)
      AND ($8 = '' OR b.name ILIKE $8)
      AND ($9 = '' OR b.brewery_name ILIKE $9 OR b.brewery_id = ANY ($10::text[]))
      AND ($11 = '' OR b.brewery_type = $11)
      AND ($12 = '' OR b.style ILIKE $12)
      AND ($13 = '' OR b.brewery_city ILIKE $13)
      AND ($14 = '' OR b.brewery_state ILIKE $14)
), keyed AS (
    SELECT lines.*, CASE $3
        WHEN 'beer' THEN beer || ' (' || brewery || ')'
        WHEN 'brewery' THEN brewery_key
        WHEN 'type' THEN type
        WHEN 'style' THEN style
        WHEN 'city' THEN city
        WHEN 'state' THEN state
        WHEN 'month' THEN to_char(purchased_on, 'YYYY-MM')
        WHEN 'week' THEN to_char(purchased_on, 'IYYY-"W"IW')
        WHEN 'day' THEN to_char(purchased_on, 'YYYY-MM-DD')
        WHEN 'weekday' THEN to_char(purchased_on, 'ID')
        ELSE '' END AS key
    FROM lines
), measured AS (
    SELECT GROUPING(key) = 1 AS overall,
           CASE WHEN $3 = 'brewery' THEN min(brewery) ELSE key END AS key,
           CASE $2
               WHEN 'quantity' THEN sum(quantity)
               WHEN 'amount' THEN sum(amount)
               WHEN 'orders' THEN count(DISTINCT purchased_on)
               WHEN 'beers' THEN count(DISTINCT (beer, brewery_key))
               WHEN 'breweries' THEN count(DISTINCT brewery_key)
           END::numeric AS value
    FROM keyed GROUP BY GROUPING SETS ((key), ())
)
SELECT key, value, overall, count(*) FILTER (WHERE NOT overall) OVER () AS groups
FROM measured
WHERE value IS NOT NULL AND (overall OR (key <> '' AND $3 <> ''))
ORDER BY overall DESC, CASE WHEN $5 THEN key END,
         CASE WHEN $4 = 'most' THEN value END DESC, CASE WHEN $4 = 'least' THEN value END, key
LIMIT $15
