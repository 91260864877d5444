-- The lease belongs to the worker now.

SET ROLE bfy_owner;
ALTER TABLE core.runs DROP COLUMN lease_until;
RESET ROLE;
