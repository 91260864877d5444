-- Rows of a model's SQL leave as JSON. The function that makes it of a row is no longer for bfy_reader: a row as JSON within a
-- row as JSON doubles at each level. Now a role that may do this and nothing else reads the cursor.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bfy_lines') THEN
        CREATE ROLE bfy_lines NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
    END IF;
    EXECUTE format('GRANT bfy_lines TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    EXECUTE format('GRANT CREATE ON DATABASE %I TO bfy_lines', current_database());
    IF NOT has_language_privilege('bfy_lines', 'plpgsql', 'USAGE') THEN
        GRANT USAGE ON LANGUAGE plpgsql TO bfy_lines;
    END IF;
END $$;

SET ROLE bfy_lines;
CREATE SCHEMA lines;

-- The cursor was opened, and every right checked, as bfy_reader; what runs now has hardly more.
CREATE FUNCTION lines.of_q(most int, chars int) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    q refcursor := 'q';
    line record;
BEGIN
    FOR n IN 1..most LOOP
        FETCH q INTO line;
        EXIT WHEN NOT FOUND;
        RETURN NEXT left(row_to_json(line)::text, chars);
    END LOOP;
END $$;
COMMENT ON FUNCTION lines.of_q IS 'The next rows of the cursor q, each as JSON cut to a length.';

REVOKE EXECUTE ON FUNCTION lines.of_q FROM PUBLIC;
GRANT USAGE ON SCHEMA lines TO bfy_reader;
GRANT EXECUTE ON FUNCTION lines.of_q TO bfy_reader;
RESET ROLE;
