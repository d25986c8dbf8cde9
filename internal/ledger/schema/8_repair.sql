-- Version 8: the log of a run tells what was repaired. A line goes on while the same thing happens again.
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS cause text NOT NULL DEFAULT '';   -- what happened, without the chunks; empty: a line that does not go on
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS chunks bigint[];   -- that it happened to: the first 201
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS times bigint NOT NULL DEFAULT 0;   -- how often
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS last_at timestamptz;
