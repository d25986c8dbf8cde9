-- Version 6: pause, and the log of who changed what.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_at timestamptz;   -- null: it is not paused
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_by text NOT NULL DEFAULT '';   -- who paused it, as far as was said
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_for text NOT NULL DEFAULT '';   -- run: it was named; all: with every run of its stack; window: until its next window
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS paused_until timestamptz;   -- when the next window opens; null: until somebody lets it go on
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS free_until timestamptz;   -- a person let it go on outside of its windows: they do not hold until then
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS waiting text;   -- token of the task of Step Functions that waits for the end of the pause

-- Who changed what of a run, and when.
CREATE TABLE IF NOT EXISTS backfill.changes (
    run    text        NOT NULL,
    n      bigint      GENERATED ALWAYS AS IDENTITY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    by     text        NOT NULL DEFAULT '',   -- as far as was said; empty: the pipeline itself, or somebody through Step Functions
    state  text        NOT NULL DEFAULT '',   -- that the run came to; empty: something else was changed
    detail text        NOT NULL DEFAULT '',
    PRIMARY KEY (run, n)
);
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS acted_by text NOT NULL DEFAULT '';   -- hands the log who makes this very change; empty again after it

-- A trigger, so that no change is forgotten, whoever makes it: functions of another version, or a person by SQL.
CREATE OR REPLACE FUNCTION backfill.log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state, NEW.reason) IS DISTINCT FROM (OLD.state, OLD.reason) THEN
        INSERT INTO backfill.changes (run, by, state, detail)
            VALUES (NEW.run, NEW.acted_by, CASE WHEN NEW.state <> OLD.state THEN NEW.state ELSE '' END, NEW.reason);
    END IF;
    NEW.acted_by := '';
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS runs_change ON backfill.runs;
CREATE TRIGGER runs_change BEFORE UPDATE OF state, reason ON backfill.runs FOR EACH ROW EXECUTE FUNCTION backfill.log_change();
