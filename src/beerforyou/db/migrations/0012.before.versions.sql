-- What an answer was made from has a version: a client's purchases, and the statistics as they were published.

SET ROLE bfy_owner;
ALTER TABLE core.clients ADD COLUMN purchases_version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN core.clients.purchases_version IS 'Rises whenever a line of the client''s purchases, or a beer in one, is another than before.';

CREATE FUNCTION core.purchases_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
BEGIN
    UPDATE clients c SET purchases_version = purchases_version + 1 WHERE c.client_id IN (SELECT client_id FROM changed);
    RETURN NULL;
END $$;

CREATE FUNCTION core.beers_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = core, pg_catalog, pg_temp AS $$
BEGIN
    UPDATE clients c SET purchases_version = purchases_version + 1
    WHERE c.client_id IN (SELECT p.client_id FROM purchases p JOIN changed USING (beer_id));
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION core.purchases_changed, core.beers_changed FROM PUBLIC;

CREATE TRIGGER purchases_added AFTER INSERT ON core.purchases
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.purchases_changed();
CREATE TRIGGER purchases_altered AFTER UPDATE ON core.purchases
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.purchases_changed();
CREATE TRIGGER purchases_removed AFTER DELETE ON core.purchases
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.purchases_changed();
CREATE TRIGGER beers_altered AFTER UPDATE ON core.beers
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.beers_changed();
RESET ROLE;

SET ROLE bfy_stats;
CREATE TABLE stats.edition (edition bigint NOT NULL);
INSERT INTO stats.edition VALUES (0);
COMMENT ON TABLE stats.edition IS 'One row: how often statistics were published.';
GRANT SELECT ON stats.edition TO bfy_client;
RESET ROLE;
