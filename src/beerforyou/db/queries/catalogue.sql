-- name: version
-- The newest version of the catalogue, 0 before the first.
SELECT coalesce(max(version), 0) AS version FROM catalogue_versions;

-- name: size
-- How many breweries there are, and of which version; for a look from outside.
SELECT count(*) AS breweries, (SELECT coalesce(max(version), 0) FROM catalogue_versions) AS version FROM breweries;

-- name: breweries
-- Every brewery with its other names and the version of the whole. One that the source dropped counts as closed.
SELECT b.brewery_id AS id, b.name, CASE WHEN b.gone THEN 'closed' ELSE b.brewery_type END AS brewery_type,
       b.city, b.state, b.country, b.address, b.postal_code, b.phone, b.website, b.latitude, b.longitude,
       coalesce(a.aliases, '{}') AS aliases,
       (SELECT max(version) FROM catalogue_versions) AS version
FROM breweries b
LEFT JOIN (SELECT brewery_id, array_agg(alias ORDER BY alias) AS aliases FROM brewery_aliases GROUP BY 1) a
    USING (brewery_id);

-- name: latest_version
-- The newest version, with where it came from.
SELECT version, synced_at, source, sha256, added, changed, closed, total
FROM catalogue_versions ORDER BY version DESC LIMIT 1;

-- name: one_at_a_time
-- A second sync waits here until the first is committed.
LOCK TABLE catalogue_versions IN SHARE ROW EXCLUSIVE MODE;

-- name: stage
-- Where the rows of a source wait, until the end of the transaction.
CREATE TEMPORARY TABLE staged_breweries (
    brewery_id text PRIMARY KEY, name text, brewery_type text, city text, state text, country text, address text,
    postal_code text, phone text, website text, latitude double precision, longitude double precision
) ON COMMIT DROP;

-- name: difference
-- How many breweries the staged rows add, change, close or leave as they are, and the names of some.
WITH compared AS (
    SELECT coalesce(s.name, b.name) AS name, CASE
        WHEN b.brewery_id IS NULL THEN 'added'
        WHEN s.brewery_id IS NULL THEN 'closed'
        WHEN s.brewery_type = 'closed' AND b.brewery_type <> 'closed' AND NOT b.gone THEN 'closed'
        WHEN b.gone OR (b.name, b.brewery_type, b.city, b.state, b.country, b.address, b.postal_code, b.phone, b.website,
                        b.latitude, b.longitude)
            IS DISTINCT FROM (s.name, s.brewery_type, s.city, s.state, s.country, s.address, s.postal_code, s.phone,
                              s.website, s.latitude, s.longitude) THEN 'changed'
        ELSE 'unchanged' END AS kind
    FROM staged_breweries s FULL JOIN breweries b USING (brewery_id)
    WHERE s.brewery_id IS NOT NULL OR NOT b.gone
)
SELECT kind, count(*)::int AS count, (array_agg(name ORDER BY name))[1:10] AS names FROM compared GROUP BY kind;

-- name: new_version
-- The next version, and what it adds, changes and closes.
INSERT INTO catalogue_versions (source, sha256, added, changed, closed, total) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING version;

-- name: keep_old_names
-- A brewery that is renamed keeps its old name as an alias.
INSERT INTO brewery_aliases (brewery_id, alias)
SELECT b.brewery_id, b.name FROM breweries b JOIN staged_breweries s USING (brewery_id) WHERE b.name <> s.name
ON CONFLICT DO NOTHING;

-- name: merge
-- New breweries, what changed of the others, and who is back, as of version $1.
INSERT INTO breweries (brewery_id, name, brewery_type, city, state, country, address, postal_code, phone, website,
                       latitude, longitude, since, changed)
SELECT brewery_id, name, brewery_type, city, state, country, address, postal_code, phone, website, latitude, longitude,
       $1, $1
FROM staged_breweries
ON CONFLICT (brewery_id) DO UPDATE
SET name = excluded.name, brewery_type = excluded.brewery_type, city = excluded.city, state = excluded.state,
    country = excluded.country, address = excluded.address, postal_code = excluded.postal_code, phone = excluded.phone,
    website = excluded.website, latitude = excluded.latitude, longitude = excluded.longitude,
    gone = false, changed = excluded.changed
WHERE breweries.gone
   OR (breweries.name, breweries.brewery_type, breweries.city, breweries.state, breweries.country, breweries.address,
       breweries.postal_code, breweries.phone, breweries.website, breweries.latitude, breweries.longitude)
    IS DISTINCT FROM
      (excluded.name, excluded.brewery_type, excluded.city, excluded.state, excluded.country, excluded.address,
       excluded.postal_code, excluded.phone, excluded.website, excluded.latitude, excluded.longitude);

-- name: mark_gone
-- Who left the source, as of version $1.
UPDATE breweries SET gone = true, changed = $1
WHERE NOT gone AND NOT EXISTS (SELECT FROM staged_breweries s WHERE s.brewery_id = breweries.brewery_id);
