-- # total-spent
SELECT SUM(amount) AS total_spent FROM my_purchases;

-- # total-in-fence
```sql
SELECT SUM(amount) AS amount
FROM my_purchases
WHERE purchased_on >= DATE_TRUNC('month', CURRENT_DATE);
```

-- # fence-without-language
```
SELECT COUNT(*) AS orders FROM my_purchases
```

-- # capitals
SELECT BEER, SUM(QUANTITY) AS TOTAL_QUANTITY
FROM MY_PURCHASES
GROUP BY BEER
ORDER BY TOTAL_QUANTITY DESC
LIMIT 5;

-- # title-case
SELECT mp.Brewery, SUM(mp.Amount) AS Total
FROM My_Purchases AS MP
GROUP BY mp.brewery
ORDER BY total DESC
LIMIT 3

-- # quoted-names
SELECT "beer", SUM("quantity") AS "quantity" FROM "my_purchases" GROUP BY "beer" ORDER BY "quantity" DESC, "beer" LIMIT 10

-- # quoted-capitals
SELECT beer FROM "My_Purchases" ORDER BY purchased_on DESC, beer LIMIT 1

-- # schema-own
SELECT COUNT(DISTINCT brewery) AS breweries FROM own.my_purchases

-- # schema-public
SELECT p.style, SUM(p.amount) AS amount FROM public.my_purchases p GROUP BY p.style ORDER BY amount DESC

-- # schema-in-columns
SELECT public.my_purchases.beer, SUM(public.my_purchases.quantity) AS quantity
FROM public.my_purchases
GROUP BY public.my_purchases.beer
ORDER BY quantity DESC LIMIT 3

-- # comments
-- Total spent per style
SELECT style,            -- beer style
       SUM(amount) AS amount /* money */
FROM my_purchases
GROUP BY style
ORDER BY amount DESC; -- highest first

-- # cte-case
WITH MonthlySpend AS (
    SELECT DATE_TRUNC('month', purchased_on) AS month, SUM(amount) AS total
    FROM my_purchases
    GROUP BY 1
)
SELECT month::date AS month, total FROM monthlyspend ORDER BY month

-- # last-month-interval
SELECT SUM(amount) AS amount
FROM my_purchases
WHERE purchased_on >= DATE_TRUNC('month', CURRENT_DATE) - INTERVAL '1 month'
  AND purchased_on < DATE_TRUNC('month', CURRENT_DATE)

-- # last-three-months
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE purchased_on >= CURRENT_DATE - INTERVAL '3 months'

-- # interval-standard
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE purchased_on >= CURRENT_DATE - INTERVAL '3' MONTH

-- # interval-mysql
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE purchased_on >= CURRENT_DATE - INTERVAL 3 MONTH

-- # interval-cast
SELECT COUNT(*) AS orders FROM my_purchases WHERE purchased_on > now()::date - '90 days'::interval

-- # interval-iso
SELECT COUNT(*) AS orders FROM my_purchases WHERE purchased_on > CURRENT_DATE - INTERVAL 'P30D'

-- # days-integer
SELECT beer, SUM(quantity) AS quantity FROM my_purchases WHERE purchased_on > CURRENT_DATE - 30 GROUP BY beer ORDER BY 2 DESC, 1

-- # between-dates
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on BETWEEN '2026-07-01' AND '2026-09-30'

-- # between-date-literals
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on BETWEEN DATE '2026-01-01' AND DATE '2026-12-31'

-- # bad-date
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on BETWEEN '2026-02-01' AND '2026-02-30'

-- # day-first-date
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= '31/10/2026'

-- # extract-year
SELECT EXTRACT(YEAR FROM purchased_on) AS year, SUM(amount) AS amount FROM my_purchases GROUP BY EXTRACT(YEAR FROM purchased_on) ORDER BY year

-- # extract-year-month
SELECT EXTRACT(YEAR FROM purchased_on)::int AS year, EXTRACT(MONTH FROM purchased_on)::int AS month, SUM(quantity) AS quantity
FROM my_purchases GROUP BY 1, 2 ORDER BY 1, 2

-- # date-part
SELECT DATE_PART('month', purchased_on) AS month, COUNT(*) AS lines FROM my_purchases WHERE DATE_PART('year', purchased_on) = 2026 GROUP BY 1 ORDER BY 1

-- # extract-dow
SELECT EXTRACT(DOW FROM purchased_on) AS weekday, SUM(quantity) AS quantity FROM my_purchases GROUP BY weekday ORDER BY quantity DESC

-- # dow-case
SELECT CASE EXTRACT(DOW FROM purchased_on)
         WHEN 0 THEN 'Sunday' WHEN 1 THEN 'Monday' WHEN 2 THEN 'Tuesday' WHEN 3 THEN 'Wednesday'
         WHEN 4 THEN 'Thursday' WHEN 5 THEN 'Friday' WHEN 6 THEN 'Saturday' END AS weekday,
       COUNT(DISTINCT purchased_on) AS orders
FROM my_purchases
GROUP BY EXTRACT(DOW FROM purchased_on)
ORDER BY orders DESC

-- # weekday-name
SELECT TRIM(TO_CHAR(purchased_on, 'Day')) AS weekday, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 2 DESC

-- # month-name
SELECT TO_CHAR(purchased_on, 'FMMonth YYYY') AS month, SUM(amount) AS amount
FROM my_purchases
GROUP BY TO_CHAR(purchased_on, 'FMMonth YYYY'), DATE_TRUNC('month', purchased_on)
ORDER BY DATE_TRUNC('month', purchased_on)

-- # month-mon
SELECT TO_CHAR(DATE_TRUNC('month', purchased_on), 'Mon YYYY') AS month, SUM(quantity) AS quantity
FROM my_purchases GROUP BY DATE_TRUNC('month', purchased_on) ORDER BY DATE_TRUNC('month', purchased_on)

-- # month-text
SELECT TO_CHAR(purchased_on, 'YYYY-MM') AS month, SUM(amount) AS amount FROM my_purchases GROUP BY month ORDER BY month

-- # month-localized
SELECT TO_CHAR(purchased_on, 'TMMonth') AS month, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 2 DESC

-- # week-iso
SELECT TO_CHAR(purchased_on, 'IYYY-IW') AS week, SUM(quantity) AS quantity FROM my_purchases GROUP BY 1 ORDER BY 1 DESC LIMIT 4

-- # quarter
SELECT DATE_TRUNC('quarter', purchased_on)::date AS quarter, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 1

-- # quarter-text
SELECT TO_CHAR(purchased_on, 'YYYY-"Q"Q') AS quarter, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 1

-- # quarter-joined
SELECT EXTRACT(YEAR FROM purchased_on) || '-Q' || EXTRACT(QUARTER FROM purchased_on) AS quarter, SUM(amount) AS amount
FROM my_purchases GROUP BY 1 ORDER BY 1

-- # share-window
SELECT style, SUM(amount) AS amount, ROUND(100.0 * SUM(amount) / SUM(SUM(amount)) OVER (), 2) AS percentage
FROM my_purchases GROUP BY style ORDER BY amount DESC

-- # share-cte
WITH total AS (SELECT SUM(amount) AS total_amount FROM my_purchases)
SELECT p.brewery, SUM(p.amount) AS amount, ROUND(SUM(p.amount) / t.total_amount * 100, 1) AS share
FROM my_purchases p CROSS JOIN total t
GROUP BY p.brewery, t.total_amount
ORDER BY share DESC
LIMIT 10

-- # share-ipa
SELECT ROUND(SUM(CASE WHEN style ILIKE '%IPA%' THEN amount ELSE 0 END) * 100.0 / NULLIF(SUM(amount), 0), 2) AS ipa_percentage FROM my_purchases

-- # share-float
SELECT ROUND(SUM(CASE WHEN style = 'IPA' THEN amount ELSE 0 END)::float / SUM(amount)::float * 100, 2) AS share FROM my_purchases

-- # share-joined
SELECT style, ROUND(100 * SUM(amount) / SUM(SUM(amount)) OVER (), 1) || '%' AS share FROM my_purchases GROUP BY style ORDER BY SUM(amount) DESC

-- # rank-beers
SELECT beer, SUM(quantity) AS quantity, RANK() OVER (ORDER BY SUM(quantity) DESC) AS rank FROM my_purchases GROUP BY beer ORDER BY rank, beer

-- # top-per-month
WITH ranked AS (
  SELECT DATE_TRUNC('month', purchased_on)::date AS month, beer, SUM(quantity) AS quantity,
         ROW_NUMBER() OVER (PARTITION BY DATE_TRUNC('month', purchased_on) ORDER BY SUM(quantity) DESC, beer) AS rn
  FROM my_purchases
  GROUP BY 1, DATE_TRUNC('month', purchased_on), beer
)
SELECT month, beer, quantity FROM ranked WHERE rn = 1 ORDER BY month

-- # top-per-style-dense
SELECT style, beer, total FROM (
  SELECT style, beer, SUM(quantity) AS total, DENSE_RANK() OVER (PARTITION BY style ORDER BY SUM(quantity) DESC) AS dr
  FROM my_purchases GROUP BY style, beer
) AS sub
WHERE dr <= 2 ORDER BY style, total DESC, beer

-- # qualify
SELECT style, beer, SUM(quantity) AS q FROM my_purchases GROUP BY style, beer
QUALIFY ROW_NUMBER() OVER (PARTITION BY style ORDER BY SUM(quantity) DESC) = 1

-- # first-order
SELECT MIN(purchased_on) AS first_purchase, MAX(purchased_on) AS last_purchase FROM my_purchases

-- # first-order-line
SELECT purchased_on, beer, quantity FROM my_purchases ORDER BY purchased_on ASC, beer LIMIT 1

-- # last-order
SELECT beer, brewery, quantity, amount FROM my_purchases WHERE purchased_on = (SELECT MAX(purchased_on) FROM my_purchases) ORDER BY beer

-- # distinct-on
SELECT DISTINCT ON (beer) beer, purchased_on AS last, unit_price AS price FROM my_purchases ORDER BY beer, purchased_on DESC

-- # fetch-first
SELECT beer, unit_price AS price FROM my_purchases ORDER BY unit_price DESC, beer FETCH FIRST 3 ROWS ONLY

-- # top-tsql
SELECT TOP 5 beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY beer ORDER BY quantity DESC

-- # month-over-month
WITH monthly AS (
  SELECT DATE_TRUNC('month', purchased_on)::date AS month, SUM(amount) AS amount FROM my_purchases GROUP BY 1
)
SELECT month, amount, LAG(amount) OVER (ORDER BY month) AS previous,
       ROUND((amount - LAG(amount) OVER (ORDER BY month)) / NULLIF(LAG(amount) OVER (ORDER BY month), 0) * 100, 2) AS change
FROM monthly ORDER BY month

-- # named-window
SELECT month, amount, amount - LAG(amount, 1, 0) OVER w AS difference
FROM (SELECT DATE_TRUNC('month', purchased_on)::date AS month, SUM(amount) AS amount FROM my_purchases GROUP BY 1) m
WINDOW w AS (ORDER BY month)
ORDER BY month

-- # running-total
SELECT purchased_on AS day, SUM(amount) AS amount, SUM(SUM(amount)) OVER (ORDER BY purchased_on) AS running
FROM my_purchases GROUP BY purchased_on ORDER BY purchased_on

-- # moving-average
SELECT week, quantity, ROUND(AVG(quantity) OVER (ORDER BY week ROWS BETWEEN 3 PRECEDING AND CURRENT ROW), 1) AS moving_average
FROM (SELECT DATE_TRUNC('week', purchased_on)::date AS week, SUM(quantity) AS quantity FROM my_purchases GROUP BY 1) w ORDER BY week

-- # year-over-year
SELECT EXTRACT(MONTH FROM purchased_on)::int AS month,
       SUM(amount) FILTER (WHERE EXTRACT(YEAR FROM purchased_on) = EXTRACT(YEAR FROM CURRENT_DATE)) AS this_year,
       SUM(amount) FILTER (WHERE EXTRACT(YEAR FROM purchased_on) = EXTRACT(YEAR FROM CURRENT_DATE) - 1) AS last_year
FROM my_purchases GROUP BY 1 ORDER BY 1

-- # count-distinct
SELECT COUNT(DISTINCT beer) AS beers, COUNT(DISTINCT style) AS styles, COUNT(DISTINCT brewery_id) AS breweries FROM my_purchases

-- # count-distinct-pair
SELECT COUNT(DISTINCT (beer, brewery)) AS n FROM my_purchases

-- # count-distinct-window
SELECT DISTINCT style, COUNT(DISTINCT beer) OVER (PARTITION BY style) AS beers FROM my_purchases

-- # average-order
SELECT ROUND(AVG(order_total), 2) AS amount FROM (SELECT purchased_on, SUM(amount) AS order_total FROM my_purchases GROUP BY purchased_on) AS orders

-- # orders-per-month
SELECT TO_CHAR(purchased_on, 'YYYY-MM') AS month, COUNT(DISTINCT purchased_on) AS orders FROM my_purchases GROUP BY 1 ORDER BY 1

-- # not-exists
SELECT DISTINCT p1.beer FROM my_purchases p1
WHERE NOT EXISTS (
  SELECT 1 FROM my_purchases p2 WHERE p2.beer = p1.beer AND p2.purchased_on >= CURRENT_DATE - INTERVAL '60 days'
)
ORDER BY p1.beer

-- # not-in
SELECT DISTINCT beer FROM my_purchases
WHERE beer NOT IN (SELECT beer FROM my_purchases WHERE purchased_on >= CURRENT_DATE - 60) ORDER BY beer

-- # except
SELECT beer FROM my_purchases WHERE purchased_on < DATE_TRUNC('month', CURRENT_DATE)
EXCEPT
SELECT beer FROM my_purchases WHERE purchased_on >= DATE_TRUNC('month', CURRENT_DATE)
ORDER BY beer

-- # new-this-month
SELECT beer, MIN(purchased_on) AS first FROM my_purchases GROUP BY beer
HAVING MIN(purchased_on) >= DATE_TRUNC('month', CURRENT_DATE) ORDER BY first

-- # stopped
SELECT beer, MAX(purchased_on) AS last, CURRENT_DATE - MAX(purchased_on) AS days FROM my_purchases
GROUP BY beer HAVING MAX(purchased_on) < CURRENT_DATE - INTERVAL '45 days' ORDER BY last

-- # days-extracted
SELECT beer, EXTRACT(DAY FROM (CURRENT_DATE - MAX(purchased_on))) AS days FROM my_purchases GROUP BY beer ORDER BY days

-- # datediff
SELECT DATEDIFF(day, MAX(purchased_on), CURRENT_DATE) AS days FROM my_purchases

-- # age-days
SELECT EXTRACT(DAY FROM AGE(CURRENT_DATE, MAX(purchased_on))) AS days FROM my_purchases

-- # age-one
SELECT AGE(MAX(purchased_on)) AS since FROM my_purchases WHERE style ILIKE '%stout%'

-- # gap-between-orders
WITH days AS (SELECT DISTINCT purchased_on FROM my_purchases),
gaps AS (SELECT purchased_on - LAG(purchased_on) OVER (ORDER BY purchased_on) AS gap FROM days)
SELECT ROUND(AVG(gap), 1) AS days_between FROM gaps WHERE gap IS NOT NULL

-- # epoch-days
SELECT ROUND(EXTRACT(EPOCH FROM (NOW() - MIN(purchased_on))) / 86400) AS days FROM my_purchases

-- # ilike
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE style ILIKE '%ipa%'

-- # ilike-any
SELECT style, SUM(quantity) AS quantity FROM my_purchases WHERE style ILIKE ANY (ARRAY['%ipa%', '%stout%']) GROUP BY style ORDER BY style

-- # ilike-any-braces
SELECT style, SUM(quantity) AS quantity FROM my_purchases WHERE style ILIKE ANY ('{%ipa%,%stout%}') GROUP BY style ORDER BY style

-- # in-any-array
SELECT beer FROM my_purchases WHERE style = ANY(ARRAY['IPA', 'Stout']) GROUP BY beer ORDER BY beer

-- # lower-like
SELECT COUNT(*) AS lines FROM my_purchases WHERE LOWER(brewery) LIKE LOWER('%Brewing%')

-- # regex
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE style ~* 'ipa'

-- # regex-or
SELECT style, SUM(quantity) AS quantity FROM my_purchases WHERE style ~* '(ipa|stout|porter)' GROUP BY style ORDER BY style

-- # regex-anchored
SELECT DISTINCT beer FROM my_purchases WHERE beer ~ '^[A-C]' ORDER BY beer

-- # regex-not
SELECT SUM(amount) AS amount FROM my_purchases WHERE style !~* 'lager'

-- # similar-to
SELECT style, SUM(quantity) AS quantity FROM my_purchases WHERE style SIMILAR TO '%(IPA|Stout)%' GROUP BY style ORDER BY style

-- # regexp-replace
SELECT REGEXP_REPLACE(beer, '[^A-Za-z ]', '', 'g') AS name FROM my_purchases

-- # position
SELECT beer FROM my_purchases WHERE POSITION('IPA' IN style) > 0 GROUP BY beer ORDER BY beer

-- # strpos
SELECT COUNT(*) AS lines FROM my_purchases WHERE STRPOS(LOWER(style), 'ale') > 0

-- # split-part
SELECT SPLIT_PART(beer, ' ', 1) AS first_word, COUNT(*) AS lines FROM my_purchases GROUP BY 1 ORDER BY 2 DESC LIMIT 5

-- # string-agg
SELECT brewery, STRING_AGG(DISTINCT beer, ', ' ORDER BY beer) AS beers FROM my_purchases GROUP BY brewery ORDER BY brewery

-- # array-agg
SELECT style, ARRAY_AGG(DISTINCT beer) AS beers FROM my_purchases GROUP BY style

-- # json-agg
SELECT json_agg(t) FROM (SELECT beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY beer) t

-- # concat
SELECT CONCAT(brewery, ' (', city, ', ', state, ')') AS brewery, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 2 DESC LIMIT 5

-- # joined-names
SELECT beer || ' - ' || brewery AS beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY beer, brewery ORDER BY quantity DESC, beer LIMIT 5

-- # lpad
SELECT EXTRACT(YEAR FROM purchased_on)::text || '-' || LPAD(EXTRACT(MONTH FROM purchased_on)::text, 2, '0') AS month, SUM(amount) AS amount
FROM my_purchases GROUP BY 1 ORDER BY 1

-- # format
SELECT FORMAT('%s: %s', beer, SUM(quantity)) AS line FROM my_purchases GROUP BY beer

-- # to-char-money
SELECT style, TO_CHAR(SUM(amount), 'FM999,999,990.00') AS amount FROM my_purchases GROUP BY style ORDER BY SUM(amount) DESC

-- # coalesce
SELECT COALESCE(NULLIF(style, ''), 'unknown') AS style, COALESCE(SUM(quantity), 0) AS quantity FROM my_purchases GROUP BY 1 ORDER BY 2 DESC, 1

-- # ifnull
SELECT IFNULL(SUM(amount), 0) AS amount FROM my_purchases WHERE style = 'Sour'

-- # nvl
SELECT NVL(SUM(amount), 0) AS amount FROM my_purchases WHERE style = 'Sour'

-- # greatest-least
SELECT beer, GREATEST(MAX(unit_price) - MIN(unit_price), 0) AS spread, LEAST(MIN(unit_price), 100) AS price FROM my_purchases GROUP BY beer ORDER BY spread DESC, beer LIMIT 5

-- # price-change
WITH prices AS (
  SELECT beer, purchased_on, unit_price,
         FIRST_VALUE(unit_price) OVER (PARTITION BY beer ORDER BY purchased_on) AS first_price,
         LAST_VALUE(unit_price) OVER (PARTITION BY beer ORDER BY purchased_on ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_price
  FROM my_purchases
)
SELECT DISTINCT beer, first_price, last_price, last_price - first_price AS change FROM prices ORDER BY change DESC, beer LIMIT 5

-- # median
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY unit_price) AS median_price FROM my_purchases

-- # median-rounded
SELECT style, ROUND(PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY unit_price), 2) AS median_price FROM my_purchases GROUP BY style ORDER BY style

-- # stddev
SELECT style, ROUND(STDDEV(unit_price), 2) AS deviation, ROUND(VARIANCE(unit_price), 2) AS variance FROM my_purchases GROUP BY style ORDER BY style

-- # coefficient-of-variation
SELECT beer, ROUND((STDDEV_POP(quantity) / AVG(quantity))::numeric, 3) AS variation FROM my_purchases GROUP BY beer HAVING COUNT(*) > 2 ORDER BY 2 DESC, 1

-- # logarithms
SELECT style, ROUND(EXP(AVG(LN(unit_price))), 2) AS geometric_mean FROM my_purchases GROUP BY style ORDER BY style

-- # growth-rate
SELECT ROUND((POWER(MAX(amount) / MIN(amount), 1.0 / 12) - 1) * 100, 2) AS monthly_growth FROM my_purchases WHERE amount > 0

-- # square-root
SELECT ROUND(SQRT(AVG(POWER(quantity, 2)))::numeric, 2) AS rms, LOG(SUM(amount)) AS magnitude FROM my_purchases

-- # log-base
SELECT LOG(2, SUM(quantity)) AS doublings FROM my_purchases

-- # caret
SELECT SUM(quantity ^ 2) AS squares FROM my_purchases

-- # trend
SELECT REGR_SLOPE(amount, x) AS slope FROM (
  SELECT SUM(amount) AS amount, ROW_NUMBER() OVER (ORDER BY DATE_TRUNC('month', purchased_on)) AS x
  FROM my_purchases GROUP BY DATE_TRUNC('month', purchased_on)) t

-- # correlation
SELECT ROUND(CORR(unit_price, quantity)::numeric, 3) AS correlation FROM my_purchases

-- # ntile
SELECT quartile, COUNT(*) AS beers, SUM(amount) AS amount FROM (
  SELECT beer, SUM(amount) AS amount, NTILE(4) OVER (ORDER BY SUM(amount) DESC) AS quartile FROM my_purchases GROUP BY beer) q
GROUP BY quartile ORDER BY quartile

-- # width-bucket
SELECT WIDTH_BUCKET(unit_price, 0, 50, 5) AS bucket, COUNT(*) AS lines FROM my_purchases GROUP BY 1 ORDER BY 1

-- # pareto
WITH b AS (SELECT brewery, SUM(amount) AS amount FROM my_purchases GROUP BY brewery),
c AS (SELECT brewery, amount, SUM(amount) OVER (ORDER BY amount DESC, brewery) AS running, SUM(amount) OVER () AS total FROM b)
SELECT COUNT(*) AS breweries FROM c WHERE running - amount < 0.8 * total

-- # grouping-sets
SELECT style, brewery, SUM(amount) AS amount FROM my_purchases GROUP BY GROUPING SETS ((style), (brewery), ()) ORDER BY 3 DESC, 1, 2

-- # rollup
SELECT style, beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY ROLLUP(style, beer) ORDER BY style NULLS LAST, beer NULLS LAST

-- # union-all
SELECT 'this month' AS period, COALESCE(SUM(amount), 0) AS amount FROM my_purchases WHERE purchased_on >= DATE_TRUNC('month', CURRENT_DATE)
UNION ALL
SELECT 'last month', COALESCE(SUM(amount), 0) FROM my_purchases
WHERE purchased_on >= DATE_TRUNC('month', CURRENT_DATE - INTERVAL '1 month') AND purchased_on < DATE_TRUNC('month', CURRENT_DATE)

-- # union-limit
(SELECT beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY beer ORDER BY quantity DESC LIMIT 1)
UNION ALL
(SELECT beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY beer ORDER BY quantity ASC LIMIT 1)

-- # values-join
SELECT v.style, COALESCE(SUM(p.quantity), 0) AS quantity
FROM (VALUES ('IPA'), ('Stout'), ('Gose')) AS v(style) LEFT JOIN my_purchases p ON p.style = v.style
GROUP BY v.style ORDER BY v.style

-- # generate-series-months
SELECT m.month::date AS month, COALESCE(SUM(p.amount), 0) AS amount
FROM generate_series(DATE_TRUNC('month', CURRENT_DATE) - INTERVAL '5 months', DATE_TRUNC('month', CURRENT_DATE), INTERVAL '1 month') AS m(month)
LEFT JOIN my_purchases p ON DATE_TRUNC('month', p.purchased_on) = m.month
GROUP BY m.month ORDER BY m.month

-- # generate-series-numbers
SELECT gs.n, COUNT(*) AS lines FROM generate_series(1, 12) AS gs(n) JOIN my_purchases p ON EXTRACT(MONTH FROM p.purchased_on) = gs.n GROUP BY gs.n

-- # recursive
WITH RECURSIVE months AS (
  SELECT DATE '2026-01-01' AS m UNION ALL SELECT (m + INTERVAL '1 month')::date FROM months WHERE m < DATE '2026-12-01')
SELECT m FROM months

-- # lateral
SELECT s.style, t.beer, t.quantity FROM (SELECT DISTINCT style FROM my_purchases) s
CROSS JOIN LATERAL (SELECT beer, SUM(quantity) AS quantity FROM my_purchases p WHERE p.style = s.style GROUP BY beer ORDER BY 2 DESC, 1 LIMIT 1) t
ORDER BY s.style

-- # self-join
SELECT a.beer AS beer, b.beer AS with_beer, COUNT(*) AS orders FROM my_purchases a
JOIN my_purchases b ON a.purchased_on = b.purchased_on AND a.beer < b.beer
GROUP BY a.beer, b.beer HAVING COUNT(*) > 1 ORDER BY orders DESC, 1, 2 LIMIT 5

-- # using
SELECT beer, a.q AS before, b.q AS after FROM
(SELECT beer, SUM(quantity) AS q FROM my_purchases WHERE purchased_on < CURRENT_DATE - 90 GROUP BY beer) a
JOIN (SELECT beer, SUM(quantity) AS q FROM my_purchases WHERE purchased_on >= CURRENT_DATE - 90 GROUP BY beer) b USING (beer) ORDER BY beer

-- # full-join
SELECT COALESCE(a.beer, b.beer) AS beer, COALESCE(a.q, 0) - COALESCE(b.q, 0) AS difference FROM
(SELECT beer, SUM(quantity) AS q FROM my_purchases WHERE EXTRACT(MONTH FROM purchased_on) = 10 GROUP BY beer) a
FULL OUTER JOIN (SELECT beer, SUM(quantity) AS q FROM my_purchases WHERE EXTRACT(MONTH FROM purchased_on) = 9 GROUP BY beer) b ON a.beer = b.beer
ORDER BY difference DESC, beer

-- # profile-join
SELECT p.brewery, SUM(p.amount) AS amount FROM my_purchases p JOIN my_profile c ON p.city = c.city GROUP BY p.brewery ORDER BY amount DESC

-- # same-state
SELECT ROUND(100.0 * SUM(amount) FILTER (WHERE state = (SELECT state FROM my_profile)) / SUM(amount), 1) AS local_share FROM my_purchases

-- # profile
SELECT name, city, state FROM my_profile

-- # having-alias
SELECT beer, SUM(quantity) AS total FROM my_purchases GROUP BY beer HAVING total > 10

-- # where-alias
SELECT beer, quantity * unit_price AS total FROM my_purchases WHERE total > 100

-- # where-aggregate
SELECT beer FROM my_purchases WHERE SUM(quantity) > 10 GROUP BY beer

-- # where-window
SELECT beer FROM my_purchases WHERE ROW_NUMBER() OVER (ORDER BY purchased_on) = 1

-- # not-grouped
SELECT brewery, beer, SUM(quantity) AS quantity FROM my_purchases GROUP BY brewery

-- # unknown-column
SELECT beer, SUM(quantity_sold) AS quantity FROM my_purchases GROUP BY beer

-- # unknown-qualified
SELECT p.beer_name, SUM(p.quantity) FROM my_purchases p GROUP BY p.beer_name

-- # unknown-price
SELECT AVG(price) AS price FROM my_purchases

-- # unknown-date
SELECT SUM(amount) FROM my_purchases WHERE purchase_date >= '2026-01-01'

-- # unknown-table
SELECT SUM(total) FROM orders WHERE client_id = 'CLT-00001'

-- # unknown-alias
SELECT x.beer FROM my_purchases p

-- # client-column
SELECT SUM(amount) AS amount FROM my_purchases WHERE client_id = 'CLT-00002'

-- # ambiguous
SELECT beer, SUM(quantity) FROM my_purchases a JOIN my_purchases b ON a.beer = b.beer GROUP BY beer

-- # type-mismatch
SELECT SUM(quantity) FROM my_purchases WHERE beer > 5

-- # sum-text
SELECT SUM(beer) FROM my_purchases

-- # union-types
SELECT beer, quantity FROM my_purchases UNION ALL SELECT 'Total', 'all'

-- # case-types
SELECT CASE WHEN quantity > 5 THEN 'many' ELSE 0 END AS kind FROM my_purchases

-- # where-number
SELECT beer FROM my_purchases WHERE quantity

-- # division-by-zero
SELECT SUM(amount) / (COUNT(*) - COUNT(*)) FROM my_purchases

-- # subquery-rows
SELECT beer FROM my_purchases WHERE style = (SELECT style FROM my_purchases)

-- # order-by-distinct
SELECT DISTINCT beer FROM my_purchases ORDER BY purchased_on

-- # sleep
SELECT pg_sleep(5)

-- # version
SELECT version()

-- # backticks
SELECT `beer`, SUM(`quantity`) AS `quantity` FROM `my_purchases` GROUP BY `beer` ORDER BY `quantity` DESC LIMIT 5

-- # strftime
SELECT strftime('%Y-%m', purchased_on) AS month, SUM(amount) AS amount FROM my_purchases GROUP BY 1

-- # date-format
SELECT DATE_FORMAT(purchased_on, '%Y-%m') AS month, SUM(amount) AS amount FROM my_purchases GROUP BY 1

-- # year-function
SELECT YEAR(purchased_on) AS year, SUM(amount) AS amount FROM my_purchases GROUP BY YEAR(purchased_on) ORDER BY 1

-- # month-function
SELECT MONTH(purchased_on) AS month, SUM(amount) AS amount FROM my_purchases WHERE YEAR(purchased_on) = 2026 GROUP BY MONTH(purchased_on) ORDER BY 1

-- # date-sub
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= DATE_SUB(CURDATE(), INTERVAL 1 MONTH)

-- # dateadd
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= DATEADD(month, -3, GETDATE())

-- # at-time-zone-utc
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= DATE_TRUNC('month', NOW() AT TIME ZONE 'UTC')

-- # at-time-zone-local
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on = (NOW() AT TIME ZONE 'America/Sao_Paulo')::date

-- # yesterday
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on = 'yesterday'::date

-- # make-date
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= MAKE_DATE(EXTRACT(YEAR FROM CURRENT_DATE)::int, 1, 1)

-- # to-date
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= TO_DATE('01/10/2026', 'DD/MM/YYYY')

-- # to-timestamp
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= TO_TIMESTAMP('2026-10-01', 'YYYY-MM-DD')

-- # timestamp-literal
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on >= TIMESTAMP '2026-10-01 00:00:00' AND purchased_on < '2026-11-01T00:00:00'

-- # overlaps
SELECT COUNT(*) AS n FROM my_purchases WHERE (purchased_on, purchased_on) OVERLAPS (DATE '2026-10-01', DATE '2026-10-31')

-- # is-distinct
SELECT COUNT(*) AS n FROM my_purchases WHERE style IS DISTINCT FROM 'IPA'

-- # tuple-in
SELECT beer, purchased_on, unit_price FROM my_purchases
WHERE (beer, purchased_on) IN (SELECT beer, MAX(purchased_on) FROM my_purchases GROUP BY beer) ORDER BY beer

-- # bool-or
SELECT style, BOOL_OR(quantity > 10) AS large FROM my_purchases GROUP BY style ORDER BY style

-- # any-value
SELECT beer, ANY_VALUE(brewery) AS brewery, SUM(quantity) AS quantity FROM my_purchases GROUP BY beer ORDER BY beer

-- # filter-count
SELECT COUNT(*) FILTER (WHERE quantity >= 10) AS large, COUNT(*) FILTER (WHERE quantity < 10) AS small FROM my_purchases

-- # pivot
SELECT style,
       SUM(CASE WHEN EXTRACT(QUARTER FROM purchased_on) = 3 THEN quantity ELSE 0 END) AS q3,
       SUM(CASE WHEN EXTRACT(QUARTER FROM purchased_on) = 4 THEN quantity ELSE 0 END) AS q4
FROM my_purchases GROUP BY style ORDER BY style

-- # trim-characters
SELECT TRIM(BOTH '"' FROM beer) AS beer FROM my_purchases GROUP BY 1 ORDER BY 1

-- # replace
SELECT REPLACE(beer, 'Beer ', '') AS name FROM my_purchases GROUP BY 1 ORDER BY 1

-- # initcap-left
SELECT INITCAP(LEFT(style, 3)) AS short, COUNT(*) AS lines FROM my_purchases GROUP BY 1 ORDER BY 1

-- # random
SELECT beer FROM my_purchases ORDER BY RANDOM() LIMIT 1

-- # unnest
SELECT s, COUNT(*) FROM my_purchases, UNNEST(ARRAY['IPA', 'Stout']) AS s WHERE style = s GROUP BY s

-- # explain
EXPLAIN SELECT beer FROM my_purchases

-- # two-statements
SELECT COUNT(*) FROM my_purchases; SELECT SUM(amount) FROM my_purchases;

-- # dollar-placeholder
SELECT SUM(amount) FROM my_purchases WHERE beer = $1

-- # named-placeholder
SELECT SUM(amount) FROM my_purchases WHERE beer = :beer

-- # mixed-prose
Here is the query:
SELECT SUM(amount) FROM my_purchases

-- # trailing-comma
SELECT beer, SUM(quantity) AS quantity, FROM my_purchases GROUP BY beer

-- # double-quoted-value
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE style = "IPA"

-- # smart-quotes
SELECT SUM(quantity) AS quantity FROM my_purchases WHERE style = ‘IPA’

-- # accent-alias
SELECT SUM(amount) AS "Total gasto em Março", COUNT(*) AS "nº de pedidos" FROM my_purchases WHERE EXTRACT(MONTH FROM purchased_on) = 3

-- # portuguese-aliases
SELECT TO_CHAR(purchased_on, 'MM/YYYY') AS mes, SUM(amount) AS total_gasto FROM my_purchases GROUP BY TO_CHAR(purchased_on, 'MM/YYYY'), DATE_TRUNC('month', purchased_on) ORDER BY DATE_TRUNC('month', purchased_on)

-- # not-equal
SELECT SUM(amount) AS amount FROM my_purchases WHERE style != 'IPA' AND type <> 'large'

-- # cast-real
SELECT beer, CAST(SUM(amount) AS REAL) / NULLIF(CAST(SUM(quantity) AS REAL), 0) AS price FROM my_purchases GROUP BY beer ORDER BY beer

-- # count-if
SELECT SUM((style = 'IPA')::int) AS ipas, COUNT(*) AS lines FROM my_purchases

-- # days-in-period
SELECT COUNT(DISTINCT DATE(purchased_on)) AS days, ROUND(SUM(amount) / COUNT(DISTINCT DATE(purchased_on)), 2) AS per_day FROM my_purchases

-- # weekend
SELECT CASE WHEN EXTRACT(ISODOW FROM purchased_on) IN (6, 7) THEN 'weekend' ELSE 'weekday' END AS part, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 1

-- # max-with-name
SELECT beer, unit_price AS price FROM my_purchases WHERE unit_price = (SELECT MAX(unit_price) FROM my_purchases) GROUP BY beer, unit_price ORDER BY beer

-- # limit-offset
SELECT beer, SUM(amount) AS amount FROM my_purchases GROUP BY beer ORDER BY amount DESC, beer LIMIT 1 OFFSET 1

-- # date-bin
SELECT DATE_BIN('14 days', purchased_on::timestamp, TIMESTAMP '2026-01-01')::date AS fortnight, SUM(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 1

-- # last-day
SELECT SUM(amount) AS amount FROM my_purchases WHERE purchased_on <= (DATE_TRUNC('month', CURRENT_DATE) + INTERVAL '1 month - 1 day')::date

-- # parenthesised
(SELECT beer FROM my_purchases ORDER BY purchased_on DESC, beer LIMIT 1)

-- # select-star
SELECT * FROM my_purchases ORDER BY purchased_on DESC, beer LIMIT 5

-- # count-rows-cte-two
WITH recent AS (SELECT * FROM my_purchases WHERE purchased_on >= CURRENT_DATE - 90),
older AS (SELECT * FROM my_purchases WHERE purchased_on < CURRENT_DATE - 90)
SELECT (SELECT COUNT(*) FROM recent) AS recent, (SELECT COUNT(*) FROM older) AS older
