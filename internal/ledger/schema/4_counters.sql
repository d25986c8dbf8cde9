-- Version 4: what is counted by itself.
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS retries bigint NOT NULL DEFAULT 0;   -- claims beyond the first, and beyond the first of a rollback
