-- Version 11: a run may follow rows that come behind its bound while it goes on, round by round.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS round bigint NOT NULL DEFAULT 0;       -- how often the bound was read anew
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS round_at timestamptz;                  -- when that was
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS round_after bigint NOT NULL DEFAULT 0; -- chunks that were planned before it
-- The transactions that had the table locked to write it when the bound was read: rows of theirs below it may not be visible yet. null: the
-- run follows nothing.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS writers text[];
