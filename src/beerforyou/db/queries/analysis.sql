-- name: answer
-- Purchases of one client, measured ($2) by one dimension ($3, empty for the whole), within dates and filters.
-- A beer or brewery is one under all its spellings. Rows come by value ($4 most or least) or, $5, by key; `overall` is the measure of everything that the filters leave.
WITH lines AS (
    SELECT CASE $3 WHEN 'beer' THEN b.name || ' (' || b.brewery_name || ')' ELSE b.brewery_name END AS spelt,
           CASE $3
               WHEN 'beer' THEN b.name || chr(31) || coalesce(b.brewery_id, b.brewery_name)
               WHEN 'brewery' THEN coalesce(b.brewery_id, b.brewery_name)
               WHEN 'type' THEN b.brewery_type
               WHEN 'style' THEN b.style
               WHEN 'city' THEN b.brewery_city
               WHEN 'state' THEN b.brewery_state
               WHEN 'month' THEN to_char(p.purchased_on, 'YYYY-MM')
               WHEN 'week' THEN to_char(p.purchased_on, 'IYYY-"W"IW')
               WHEN 'day' THEN to_char(p.purchased_on, 'YYYY-MM-DD')
               WHEN 'weekday' THEN to_char(p.purchased_on, 'ID')
               ELSE '' END AS key,
           CASE $2 WHEN 'quantity' THEN p.quantity WHEN 'amount' THEN p.quantity * p.unit_price END AS summed,
           CASE $2
               WHEN 'orders' THEN p.purchased_on::text
               WHEN 'beers' THEN b.name || chr(31) || coalesce(b.brewery_id, b.brewery_name)
               WHEN 'breweries' THEN coalesce(b.brewery_id, b.brewery_name) END AS counted
    FROM purchases p JOIN beers b USING (beer_id)
    WHERE p.client_id = me.client_id
      AND ($6::date IS NULL OR p.purchased_on >= $6) AND ($7::date IS NULL OR p.purchased_on < $7)
      AND ($8 = '' OR b.name ILIKE $8)
      AND (NOT $9 OR b.brewery_id = ANY ($10::text[]) OR b.brewery_name = ANY ($11::text[]))
      AND ($12 = '' OR b.brewery_type = $12)
      AND ($13 = '' OR b.style ILIKE $13)
      AND ($14 = '' OR lower(b.brewery_city) = $14)
      AND ($15 = '' OR lower(b.brewery_state) = $15)
), measured AS (
    SELECT GROUPING(key) = 1 AS overall,
           CASE WHEN $3 IN ('beer', 'brewery') THEN min(spelt) ELSE key END AS key,
           CASE WHEN $2 IN ('quantity', 'amount') THEN sum(summed) ELSE count(DISTINCT counted) END AS value
    FROM lines GROUP BY GROUPING SETS ((key), ())
)
SELECT key, coalesce(value, 0) AS value, overall, count(*) FILTER (WHERE NOT overall) OVER () AS groups,
       (SELECT version FROM profiles WHERE client_id = me.client_id) AS profile
FROM measured
WHERE (overall OR (key <> '' AND $3 <> ''))
ORDER BY overall DESC, CASE WHEN $5 THEN key END,
         CASE WHEN $4 = 'most' THEN value END DESC, CASE WHEN $4 = 'least' THEN value END, key
LIMIT $16
