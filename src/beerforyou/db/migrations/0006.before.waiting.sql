-- A run that never began has not crashed.

SET ROLE bfy_owner;
ALTER TABLE core.runs ADD COLUMN false_starts int NOT NULL DEFAULT 0;
COMMENT ON COLUMN core.runs.crashes IS 'Workers that died, fell silent or failed over the run after it had begun: it had an event.';
COMMENT ON COLUMN core.runs.false_starts IS 'Workers that did so before it had begun.';
RESET ROLE;
