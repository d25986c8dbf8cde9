-- Version 17: what a report tells of a run over time, and how long workers were at each chunk.
CREATE TABLE IF NOT EXISTS backfill.course (
    run     text             NOT NULL,
    at      timestamptz      NOT NULL,
    state   text             NOT NULL,
    handled bigint           NOT NULL,   -- rows, forward and back
    looked  bigint           NOT NULL,   -- at once more, by the verification that goes on: each begins from 0
    written bigint           NOT NULL,
    done    bigint           NOT NULL,   -- chunks
    failed  bigint           NOT NULL,   -- chunks
    workers bigint           NOT NULL,   -- leases that lived
    allowed double precision,            -- rows/s of all runs of the database; null: no limit
    reason  text             NOT NULL,   -- why it was not faster
    ends_at timestamptz,                 -- when it was to end, as was estimated then; null: not known
    PRIMARY KEY (run, at)
);

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS claimed_at timestamptz;                    -- when the last worker came; null: none since this version
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS worked interval NOT NULL DEFAULT '0';      -- that workers were at it, the one who is at it now left out

-- A trigger, so that whoever claims or leaves a chunk, of this version or the one before, is counted. One who died was there as long as something was heard.
CREATE OR REPLACE FUNCTION backfill.count_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'PROCESSING' AND OLD.claimed_at IS NOT NULL THEN
        NEW.worked := OLD.worked + greatest(CASE WHEN OLD.lease_until > clock_timestamp() THEN clock_timestamp() ELSE OLD.updated_at END - OLD.claimed_at, '0');
    END IF;
    IF NEW.state = 'PROCESSING' THEN
        NEW.claimed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS ledger_stay ON backfill.ledger;
CREATE TRIGGER ledger_stay BEFORE UPDATE ON backfill.ledger FOR EACH ROW
    WHEN (OLD.fence <> NEW.fence OR OLD.state <> NEW.state) EXECUTE FUNCTION backfill.count_stay();
