-- Version 5: pause.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_at timestamptz;   -- null: it is not paused
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_by text NOT NULL DEFAULT '';   -- who paused it, as far as was said
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_for text NOT NULL DEFAULT '';   -- run: it was named; all: with every run of its stack
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS waiting text;   -- token of the task of Step Functions that waits for the end of the pause
