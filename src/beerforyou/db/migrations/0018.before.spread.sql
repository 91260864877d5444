-- How far a published quantity may be from the truth, so that no order is told that the noise made.

SET ROLE bfy_stats;
ALTER TABLE stats.published ADD COLUMN spread bigint;
COMMENT ON COLUMN stats.published.spread IS 'Scale of the noise on `quantity`, which is told where it is three times that or more. Null: published before this was kept.';

CREATE FUNCTION stats.clip(quantities bigint[], most float8) RETURNS float8
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- Cut off at c is sum - n * c of the n largest, for the n at which that is most: no more than `most` * c if c >= sum / (most + n) for each n.
    SELECT ceil(least_c / digit) * digit
    FROM (
        SELECT greatest(1, max(together / (most + n))) AS least_c
        FROM (
            SELECT sum(q::float8) OVER largest AS together, row_number() OVER largest AS n
            FROM unnest(quantities) AS q WINDOW largest AS (ORDER BY q DESC ROWS UNBOUNDED PRECEDING)
        ) AS largest_first
    ) AS found CROSS JOIN LATERAL (SELECT 10 ^ floor(log(least_c)) AS digit) AS magnitude
$$;
COMMENT ON FUNCTION stats.clip IS 'The smallest number of one digit and zeros at which no more is cut off from the quantities together than `most` times itself.';
REVOKE EXECUTE ON FUNCTION stats.clip FROM PUBLIC;
RESET ROLE;
