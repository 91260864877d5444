-- name: of_readers
-- The sessions of SQL that a model wrote in the process that calls itself $1, and what they are at, where we may know.
SELECT pid, state FROM pg_stat_activity WHERE application_name = $1 AND usename = 'bfy_reader';
