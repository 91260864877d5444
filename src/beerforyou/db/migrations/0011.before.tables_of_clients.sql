-- Which tables hold what is a client's, read from the catalogs: whoever looks at each of them finds a new one by itself.

SET ROLE bfy_authz;

CREATE VIEW authz.tables_of_clients AS
WITH RECURSIVE found (oid) AS (
    SELECT c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND a.attname = 'client_id' AND NOT a.attisdropped
      AND (pg_get_userbyid(n.nspowner) LIKE 'bfy\_%' OR has_any_column_privilege('bfy_client', c.oid, 'SELECT'))
    UNION
    SELECT conrelid FROM pg_constraint JOIN found ON confrelid = found.oid WHERE contype = 'f'
)
SELECT c.oid, c.relname AS name,
       EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'client_id' AND NOT attisdropped) AS says_whose
FROM pg_class c JOIN found USING (oid);
COMMENT ON VIEW authz.tables_of_clients IS 'Tables with a client_id, and those that refer to them by a foreign key, which must have one too.';

-- As whoever calls it, so that policies and rights are the caller's.
CREATE FUNCTION authz.tables_with_rows() RETURNS SETOF regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found regclass;
    seen boolean;
BEGIN
    FOR found IN
        SELECT oid FROM authz.tables_of_clients JOIN pg_class USING (oid)
        WHERE has_schema_privilege(relnamespace, 'USAGE') AND has_any_column_privilege(oid, 'SELECT')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', found) INTO seen;
        IF seen THEN RETURN NEXT found; END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION authz.tables_with_rows IS 'Of clients: those in which the caller sees any. Who has not entered as a client must see none.';

REVOKE EXECUTE ON FUNCTION authz.tables_with_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authz.tables_with_rows TO bfy_client;
GRANT USAGE ON SCHEMA authz TO bfy_operator;
GRANT SELECT ON authz.tables_of_clients TO bfy_client, bfy_operator;
RESET ROLE;
