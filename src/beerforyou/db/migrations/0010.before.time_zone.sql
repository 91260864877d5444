-- A client's day is the day where the client is. Who was there before goes by the installation's time zone.

SET ROLE bfy_owner;
ALTER TABLE core.clients ADD COLUMN time_zone text NOT NULL DEFAULT '';
COMMENT ON COLUMN core.clients.time_zone IS 'An IANA name; empty: the installation''s (BEERFORYOU_TIME_ZONE).';
RESET ROLE;
