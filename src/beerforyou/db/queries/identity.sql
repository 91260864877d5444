-- name: add_key
-- A key that the database verifies tokens with; the newest is the one in use.
INSERT INTO authz.keys (kid, inner_pad, outer_pad) VALUES ($1, $2, $3)
ON CONFLICT (kid) DO UPDATE SET added_at = now();

-- name: forget_old_keys
-- All but the newest two: processes that still sign with the one before go on until they are restarted.
DELETE FROM authz.keys WHERE kid NOT IN (SELECT kid FROM authz.keys ORDER BY added_at DESC LIMIT 2);

-- name: try
-- Whether a token is believed.
SELECT authz.enter($1);
