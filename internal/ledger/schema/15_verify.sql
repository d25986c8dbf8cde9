-- Version 15: verification. A run that is COMPLETED is looked at once more, chunk by chunk: direction 'verify' beside forward and back.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS mends boolean NOT NULL DEFAULT false;   -- rows that do not hold what they should are written again
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS certificate jsonb;   -- of the last verification that came to its end; null: there is none, or the run went on since

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS looked bigint NOT NULL DEFAULT 0;      -- keys that the last verification has passed
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS fitting bigint NOT NULL DEFAULT 0;     -- of them rows in scope
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS deviating bigint NOT NULL DEFAULT 0;   -- of them those that did not hold what they should
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS mended bigint NOT NULL DEFAULT 0;      -- of them those that were written again
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS digest numeric;     -- sum of a hash of key and written columns over the rows in scope, as it left them; null: not verified
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS nulls bigint[];     -- for each written column how many rows, of whatever scope, it left NULL
