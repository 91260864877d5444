-- A question of the model is one statement: it presents the caller's token, asks, and hands its rows on as JSON. The token is
-- verified where rows are read, by the policy, and nowhere else; a view says by itself whose rows it shows, without belief.

DO $$
BEGIN
    IF NOT has_language_privilege('bfy_authz', 'plpgsql', 'USAGE') THEN
        GRANT USAGE ON LANGUAGE plpgsql TO bfy_authz;
    END IF;
    IF NOT has_language_privilege('bfy_lines', 'plpgsql', 'USAGE') THEN
        GRANT USAGE ON LANGUAGE plpgsql TO bfy_lines;
    END IF;
END $$;

-- These say pg_catalog each time instead of setting a search_path, which costs more than what they do.
SET ROLE bfy_authz;
CREATE FUNCTION authz.claimed(token text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN pg_catalog.convert_from(pg_catalog.decode(pg_catalog.split_part(token, '|', 4), 'hex'), 'UTF8');
END $$;
COMMENT ON FUNCTION authz.claimed IS 'The client that a token names, whoever signed it.';

CREATE FUNCTION authz.present(token text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
BEGIN
    IF pg_catalog.current_setting('bfy.token', true) OPERATOR(pg_catalog.<>) '' THEN
        RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'a client has already entered this transaction';
    ELSIF token IS NULL OR token OPERATOR(pg_catalog.=) '' THEN
        RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'there is no identity';
    END IF;
    RETURN authz.claimed(pg_catalog.set_config('bfy.token', token, true));
END $$;
COMMENT ON FUNCTION authz.present IS 'As authz.enter, but leaves it to the policies to verify the token, who do so for each table that is read.';

CREATE FUNCTION authz.whose() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN authz.claimed(nullif(pg_catalog.current_setting('bfy.token', true), ''));
END $$;
COMMENT ON FUNCTION authz.whose IS 'What authz.client_id() says, unverified: to narrow what is shown, beside a policy.';

REVOKE EXECUTE ON FUNCTION authz.claimed, authz.present, authz.whose FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authz.present TO bfy_client, bfy_reader;
GRANT EXECUTE ON FUNCTION authz.whose TO bfy_reader, bfy_views;
RESET ROLE;

SET ROLE bfy_lines;
-- Cut, so that a row as JSON within a row as JSON does not grow; and shape.py refuses every text that holds its name.
CREATE FUNCTION lines.bfy_json(line record, chars int) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN pg_catalog.left(pg_catalog.row_to_json(line)::pg_catalog.text, chars);
END $$;
COMMENT ON FUNCTION lines.bfy_json IS 'A row as JSON, cut to a length.';
REVOKE EXECUTE ON FUNCTION lines.bfy_json FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lines.bfy_json TO bfy_reader;
COMMENT ON FUNCTION lines.of_q IS 'For processes of the version before, which ask by a cursor.';
RESET ROLE;
