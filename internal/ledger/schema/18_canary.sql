-- Version 18: when chunks were last opened for workers in the middle of a run: planned, or let go of a canary, or to be looked at. Nobody stood still before; null: never.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS opened_at timestamptz;
