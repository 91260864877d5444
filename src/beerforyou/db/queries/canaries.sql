-- name: add_client
-- A client of the proof, with its canary as its name.
INSERT INTO clients (client_id, name, city, state, country, postal_code, language, canary)
VALUES ($1, $2, 'San Diego', 'California', 'United States', '92101', 'en', true);

-- name: add_purchases
-- What it buys: $3 beers of its own, named after the canary ($2).
WITH brewed AS (
    INSERT INTO beers (name, style, brewery_name, brewery_city, brewery_state)
    SELECT $2 || ' ' || n, 'IPA', $2 || ' Brewing', 'San Diego', 'California' FROM generate_series(1, $3::int) AS n
    RETURNING beer_id, name
)
INSERT INTO purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT $1, name, current_date - 1, beer_id, 7, 3.5 FROM brewed;

-- name: remove
-- All of the canaries $1, wherever they left something. Elsewhere the policies for bfy_operator say that they are canaries.
WITH made AS MATERIALIZED (SELECT client_id FROM clients WHERE canary AND client_id = ANY ($1::text[])),
     keys AS (DELETE FROM idempotency_keys WHERE client_id IN (TABLE made)),
     posted AS (DELETE FROM webhook_messages WHERE client_id IN (TABLE made)),
     hooks AS (DELETE FROM webhooks WHERE client_id IN (TABLE made)),
     events AS (DELETE FROM events WHERE client_id IN (TABLE made)),
     steps AS (DELETE FROM run_steps WHERE client_id IN (TABLE made)),
     said AS (DELETE FROM messages WHERE client_id IN (TABLE made)),
     ran AS (DELETE FROM runs WHERE client_id IN (TABLE made)),
     talked AS (DELETE FROM conversations WHERE client_id IN (TABLE made)),
     known AS (DELETE FROM profiles WHERE client_id IN (TABLE made)),
     bought AS (DELETE FROM purchases WHERE client_id IN (TABLE made) RETURNING beer_id),
     brewed AS (DELETE FROM beers WHERE beer_id IN (SELECT beer_id FROM bought))
DELETE FROM clients WHERE client_id IN (TABLE made);

-- name: left_over
-- Clients of a proof that was killed.
SELECT client_id FROM clients WHERE canary AND created_at < now() - interval '1 hour';

-- name: somebody_else
-- Another client than $1, and a beer that only the other buys: what an attack on real rows must not bring back.
SELECT c.client_id, c.name, (
    SELECT b.name FROM purchases p JOIN beers b USING (beer_id)
    WHERE p.client_id = c.client_id AND b.name NOT IN (
        SELECT mine.name FROM purchases o JOIN beers mine USING (beer_id) WHERE o.client_id = $1)
    LIMIT 1
) AS beer
FROM clients c WHERE c.client_id <> $1 AND c.name <> (SELECT name FROM clients WHERE client_id = $1) ORDER BY c.client_id LIMIT 1;
