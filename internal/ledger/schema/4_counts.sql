-- Version 4: what is counted by itself, and the batch of each conflict.
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS retries bigint NOT NULL DEFAULT 0;   -- claims beyond the first, and beyond the first of a rollback
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS beats bigint NOT NULL DEFAULT 0;   -- of the governor; one that is not above the last says that the database went back

ALTER TABLE backfill.conflicts ADD COLUMN IF NOT EXISTS seq bigint NOT NULL DEFAULT 0;   -- the batch whose undo was consumed
ALTER TABLE backfill.conflicts ADD COLUMN IF NOT EXISTS was text[];   -- the columns before the run
-- Without it, each batch of a rollback would read all conflicts of its chunk.
CREATE INDEX IF NOT EXISTS conflicts_batch ON backfill.conflicts (run, chunk, seq);
