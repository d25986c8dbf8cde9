-- Version 8: the log of a run tells what was repaired. A line goes on while the same thing happens again.
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS cause text NOT NULL DEFAULT '';   -- what happened, without the chunks; empty: a line that does not go on
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS chunks bigint[];   -- that it happened to: the first 201
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS times bigint NOT NULL DEFAULT 0;   -- how often
ALTER TABLE backfill.changes ADD COLUMN IF NOT EXISTS last_at timestamptz;

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS advanced_at timestamptz;   -- when its last batch was committed; null: none since this version
UPDATE backfill.ledger SET advanced_at = updated_at WHERE advanced_at IS NULL AND state = 'PROCESSING' AND seq > 0;

-- A reason that is only taken away is no line: who takes it away says what happened.
CREATE OR REPLACE FUNCTION backfill.log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state OR NEW.reason <> OLD.reason AND NEW.reason <> '' THEN
        INSERT INTO backfill.changes (run, by, state, detail)
            VALUES (NEW.run, NEW.acted_by, CASE WHEN NEW.state <> OLD.state THEN NEW.state ELSE '' END, NEW.reason);
    END IF;
    NEW.acted_by := '';
    RETURN NEW;
END $$;
