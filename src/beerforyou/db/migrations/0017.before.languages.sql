-- Which languages there are is known by the tables of sentences; whoever loads a client checks it there.
SET ROLE bfy_owner;
ALTER TABLE core.clients DROP CONSTRAINT clients_language_check;
ALTER TABLE core.clients ADD CONSTRAINT clients_language_check CHECK (language ~ '^[a-z]{2,3}$') NOT VALID;
RESET ROLE;
