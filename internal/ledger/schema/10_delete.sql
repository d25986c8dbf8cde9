-- Version 10: deletion. A rollback may leave a row alone for other reasons than that it no longer holds what the run wrote. Postgres'
-- message may quote values of the row: it is read from here, and stored nowhere else.
ALTER TABLE backfill.conflicts ADD COLUMN IF NOT EXISTS why text NOT NULL DEFAULT '';   -- empty: it no longer holds what the run wrote
