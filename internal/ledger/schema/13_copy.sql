-- Version 13: copies. A run that copies holds two tables: the one that it reads, and the one that it writes.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS copies_into text NOT NULL DEFAULT '';   -- quoted, as target; empty: it writes target alone

-- Which run holds a table. It is kept by a trigger, so that whoever begins, ends or revives a run, of this version or the one before,
-- takes and gives back the tables in the same transaction.
CREATE TABLE IF NOT EXISTS backfill.held (
    target text NOT NULL CONSTRAINT held_lock PRIMARY KEY,
    run    text NOT NULL
);
INSERT INTO backfill.held (target, run) SELECT target, run FROM backfill.runs WHERE ended_at IS NULL ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION backfill.hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM backfill.held;
        RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM backfill.held h WHERE h.run = OLD.run;
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' AND (NEW.ended_at IS NULL) = (OLD.ended_at IS NULL) THEN
        RETURN NULL;
    ELSIF NEW.ended_at IS NOT NULL THEN
        DELETE FROM backfill.held h WHERE h.run = NEW.run;
    ELSE   -- in one order, so that two that want each other's tables do not wait for each other
        INSERT INTO backfill.held (target, run)
            SELECT name, NEW.run FROM unnest(ARRAY[NEW.target, NEW.copies_into]) AS name WHERE name <> '' ORDER BY name;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER hold AFTER INSERT OR UPDATE OF ended_at OR DELETE ON backfill.runs FOR EACH ROW EXECUTE FUNCTION backfill.hold();
CREATE OR REPLACE TRIGGER hold_none AFTER TRUNCATE ON backfill.runs FOR EACH STATEMENT EXECUTE FUNCTION backfill.hold();
