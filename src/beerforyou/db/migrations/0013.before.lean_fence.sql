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
    RETURN pg_catalog.left(pg_catalog.row_to_json(line)::pg_catalog.text, LEAST(chars, 100001));
END $$;
COMMENT ON FUNCTION lines.bfy_json IS 'A row as JSON, cut to a length.';
REVOKE EXECUTE ON FUNCTION lines.bfy_json FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lines.bfy_json TO bfy_reader;
COMMENT ON FUNCTION lines.of_q IS 'For processes of the version before, which ask by a cursor.';
RESET ROLE;

-- What a purchase says, beside it: a question reads one table, by client. The names are what look-ups of beers and breweries
-- would say; triggers keep them so. In no index: they would double it, and a client's rows lie together or are few.

SET ROLE bfy_owner;
ALTER TABLE core.purchases ADD COLUMN shown_beer text, ADD COLUMN shown_style text, ADD COLUMN shown_brewery text,
    ADD COLUMN shown_brewery_id text, ADD COLUMN shown_type text, ADD COLUMN shown_city text, ADD COLUMN shown_state text;
COMMENT ON COLUMN core.purchases.shown_beer IS 'This and the names after it: of the beer and its brewery, the catalogue''s where it knows it.';

CREATE VIEW core.beers_by_name AS
SELECT b.beer_id, b.name AS beer, b.style, coalesce(c.name, b.brewery_name) AS brewery, b.brewery_id, b.brewery_type AS type,
       coalesce(c.city, b.brewery_city) AS city, coalesce(c.state, b.brewery_state) AS state,
       b.brewery_name, b.brewery_city, b.brewery_state
FROM core.beers b LEFT JOIN core.breweries c USING (brewery_id);
GRANT SELECT ON core.beers_by_name TO bfy_operator;

CREATE FUNCTION core.name_purchase() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
BEGIN
    SELECT n.beer, n.style, n.brewery, n.brewery_id, n.type, n.city, n.state
    INTO NEW.shown_beer, NEW.shown_style, NEW.shown_brewery, NEW.shown_brewery_id, NEW.shown_type, NEW.shown_city, NEW.shown_state
    FROM beers_by_name n WHERE n.beer_id = NEW.beer_id;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION core.beers_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
BEGIN
    UPDATE purchases p
    SET (shown_beer, shown_style, shown_brewery, shown_brewery_id, shown_type, shown_city, shown_state)
        = (n.beer, n.style, n.brewery, n.brewery_id, n.type, n.city, n.state)
    FROM changed JOIN beers_by_name n USING (beer_id)
    WHERE p.beer_id = n.beer_id AND (p.shown_beer, p.shown_style, p.shown_brewery, p.shown_brewery_id, p.shown_type, p.shown_city, p.shown_state)
        IS DISTINCT FROM (n.beer, n.style, n.brewery, n.brewery_id, n.type, n.city, n.state);
    RETURN NULL;
END $$;

CREATE FUNCTION core.breweries_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM before JOIN after USING (brewery_id)
               WHERE (before.name, before.city, before.state) IS DISTINCT FROM (after.name, after.city, after.state)) THEN
        UPDATE purchases p SET shown_brewery = after.name, shown_city = after.city, shown_state = after.state
        FROM after
        WHERE p.shown_brewery_id = after.brewery_id
          AND (p.shown_brewery, p.shown_city, p.shown_state) IS DISTINCT FROM (after.name, after.city, after.state);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION core.name_purchase, core.breweries_changed FROM PUBLIC;

-- `load` brings the names along; who does not has them looked up.
CREATE TRIGGER purchase_named BEFORE INSERT ON core.purchases
    FOR EACH ROW WHEN (NEW.shown_beer IS NULL) EXECUTE FUNCTION core.name_purchase();
CREATE TRIGGER purchase_renamed BEFORE UPDATE ON core.purchases
    FOR EACH ROW WHEN (NEW.beer_id <> OLD.beer_id) EXECUTE FUNCTION core.name_purchase();
CREATE TRIGGER breweries_altered AFTER UPDATE ON core.breweries
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.breweries_changed();
GRANT SELECT (shown_beer, shown_style, shown_brewery, shown_brewery_id, shown_type, shown_city, shown_state) ON core.purchases TO bfy_views;
RESET ROLE;

SET ROLE bfy_operator;  -- whose policy shows every row
UPDATE core.purchases p
SET (shown_beer, shown_style, shown_brewery, shown_brewery_id, shown_type, shown_city, shown_state)
        = (n.beer, n.style, n.brewery, n.brewery_id, n.type, n.city, n.state)
FROM core.beers_by_name n WHERE n.beer_id = p.beer_id;
RESET ROLE;

SET ROLE bfy_views;
CREATE OR REPLACE VIEW own.my_profile WITH (security_barrier) AS
SELECT name, city, state, country, postal_code
FROM core.clients
WHERE client_id = (SELECT authz.whose());

CREATE OR REPLACE VIEW own.my_purchases WITH (security_barrier) AS
SELECT purchased_on, shown_beer AS beer, shown_style AS style, shown_brewery AS brewery, shown_brewery_id AS brewery_id, shown_type AS type,
       shown_city AS city, shown_state AS state, quantity, unit_price, quantity * unit_price AS amount
FROM core.purchases
WHERE client_id = (SELECT authz.whose());
RESET ROLE;
