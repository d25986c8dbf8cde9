-- bury decides about a message of the dead-letter queue: a delivery of it was tried as often as the queue allows. Where it is still
-- the newest send of its chunk (newest: as far as the records know), and nobody holds the chunk, the chunk is FAILED. Else the chunk has
-- gone on, or will when its run does. The log of a run that has not ended says which.
CREATE OR REPLACE FUNCTION backfill.bury(
    the_run text, the_chunk bigint, the_lo text[], the_hi text[], the_send bigint, sent_at timestamptz, newest bigint, why text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    run_state text;
    ended     boolean;
    resumed   timestamptz;
    share     bigint;
    entry     backfill.ledger%ROWTYPE;
BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', '5s', true);
    -- Its lock puts a cancel, a pause or a rollback before all of this, or after.
    SELECT state, ended_at IS NOT NULL, resumed_at, canary INTO run_state, ended, resumed, share FROM backfill.runs r WHERE r.run = the_run FOR SHARE;
    IF run_state IS NULL THEN
        RETURN 'unknown';
    ELSIF ended THEN
        RETURN 'ended';
    ELSIF NOT backfill.moves(run_state) THEN
        PERFORM backfill.note(the_run, 'found in the dead-letter queue while the run stood still', ARRAY[the_chunk]);
        RETURN 'closed';
    END IF;
    INSERT INTO backfill.ledger (run, chunk, lo, hi, held) SELECT the_run, the_chunk, the_lo, the_hi, NOT backfill.chosen(the_chunk, share)
        WHERE backfill.works(run_state, 'forward') AND newest <= the_send AND NOT coalesce(sent_at < resumed + interval '1 minute', false) ON CONFLICT DO NOTHING;
    -- Waits for a zombie's transaction, as a claim does.
    SELECT * INTO entry FROM backfill.ledger l WHERE l.run = the_run AND l.chunk = the_chunk FOR UPDATE;
    IF sent_at < resumed + interval '1 minute'                                                  -- of before a resume, which counts all as lost; clocks differ
        OR entry.state IS NULL OR (entry.lo, entry.hi) IS DISTINCT FROM (the_lo, the_hi)
        OR entry.held AND share > 0                                                              -- nobody works on it yet
        OR entry.state NOT IN ('PENDING', 'PROCESSING') OR NOT backfill.works(run_state, entry.direction)
        OR greatest(entry.send, entry.sent, newest) > the_send                                   -- it was sent again
        OR entry.state = 'PENDING' AND entry.fence > 0 AND entry.send = the_send                 -- that send was given back in order
        OR entry.state = 'PROCESSING' AND entry.lease_until > clock_timestamp() THEN
        PERFORM backfill.note(the_run, 'found in the dead-letter queue, and had gone on since', ARRAY[the_chunk]);
        RETURN 'gone on';
    END IF;
    UPDATE backfill.ledger l SET state = 'FAILED', fence = l.fence + 1, lease_until = NULL, not_before = NULL, send = greatest(l.send, the_send),
        sent = greatest(l.sent, the_send), reason = why, updated_at = clock_timestamp() WHERE l.run = the_run AND l.chunk = the_chunk;
    PERFORM backfill.note(the_run, 'FAILED: ' || why, ARRAY[the_chunk]);
    RETURN 'failed';
END $$;
