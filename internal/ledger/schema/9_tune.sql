-- Version 9: how many chunks may be at work at a time, and what else a person sets of a run while it goes on.
ALTER TABLE backfill.throttle ADD COLUMN IF NOT EXISTS workers bigint;   -- of all runs together, set by a person; null: no limit
ALTER TABLE backfill.shares ADD COLUMN IF NOT EXISTS workers bigint;     -- of the run, set by a person; null: no limit
ALTER TABLE backfill.shares ADD COLUMN IF NOT EXISTS wants_at timestamptz;   -- when the run was refused a slot of the database; null: it has got one since
ALTER TABLE backfill.shares ADD COLUMN IF NOT EXISTS unit double precision NOT NULL DEFAULT 0;   -- rows/s that one worker makes, by its best of late
ALTER TABLE backfill.shares ADD COLUMN IF NOT EXISTS needs double precision;   -- workers that the rate has use for; null: it has no limit
ALTER TABLE backfill.shares ADD COLUMN IF NOT EXISTS signals jsonb NOT NULL DEFAULT '{}';   -- limits of signals that a person has set, in place of the definition's; -1: off
ALTER TABLE backfill.shares ADD COLUMN IF NOT EXISTS error_budget bigint;   -- likewise; null: the definition's
ALTER TABLE backfill.throttle ADD COLUMN IF NOT EXISTS wal double precision;        -- a person's ceiling in bytes/s of WAL; null: none
ALTER TABLE backfill.throttle ADD COLUMN IF NOT EXISTS wal_rate double precision;   -- rows/s that it allows, decided with the rate; null: no ceiling
-- The slots that are taken: in a rollback every chunk is open.
CREATE INDEX IF NOT EXISTS ledger_at_work ON backfill.ledger (run, chunk) WHERE state = 'PROCESSING';
