-- Version 4: what is counted by itself.
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS retries bigint NOT NULL DEFAULT 0;   -- claims beyond the first, and beyond the first of a rollback
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS beats bigint NOT NULL DEFAULT 0;   -- of the governor; one that is not above the last says that the database went back
