-- A step is found by what it was for, and no longer by its place: a run that is taken over asks for each by its key.

SET ROLE bfy_owner;
ALTER TABLE core.run_steps
    ADD COLUMN turn int NOT NULL DEFAULT 0,
    ADD COLUMN purpose text NOT NULL DEFAULT '',
    ADD COLUMN call text NOT NULL DEFAULT '';
COMMENT ON COLUMN core.run_steps.turn IS 'The planner''s turn, from 1.';
COMMENT ON COLUMN core.run_steps.purpose IS 'What was done: plan, tool, summary and so on. Empty in steps of older versions.';
COMMENT ON COLUMN core.run_steps.call IS 'Which of several for that purpose in that turn.';
CREATE UNIQUE INDEX run_steps_once ON core.run_steps (run_id, turn, purpose, call) WHERE purpose <> '';
RESET ROLE;
