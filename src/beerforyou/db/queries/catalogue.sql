-- name: version
-- The newest version of the catalogue, 0 before the first.
SELECT coalesce(max(version), 0) AS version FROM catalogue_versions;

-- name: breweries
-- Every brewery with its other names and the version of the whole. One that the source dropped counts as closed.
SELECT b.brewery_id AS id, b.name, CASE WHEN b.gone THEN 'closed' ELSE b.brewery_type END AS brewery_type,
       b.city, b.state, b.country, b.address, b.postal_code, b.phone, b.website, b.latitude, b.longitude,
       coalesce(a.aliases, '{}') AS aliases,
       (SELECT max(version) FROM catalogue_versions) AS version
FROM breweries b
LEFT JOIN (SELECT brewery_id, array_agg(alias ORDER BY alias) AS aliases FROM brewery_aliases GROUP BY 1) a
    USING (brewery_id);
