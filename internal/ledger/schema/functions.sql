-- The functions of the newest version, made anew after the tables.
DROP FUNCTION IF EXISTS backfill.claim(text, bigint, text[], text[], bigint, text, interval, interval);
DROP FUNCTION IF EXISTS backfill.claim(text, bigint, text[], text[], bigint, text, interval, interval, boolean);
DROP FUNCTION IF EXISTS backfill.advance(text, bigint, bigint, bigint, bigint, text[], boolean, interval, interval, interval);

-- works tells whether chunks of that direction are worked on in that state of their run.
CREATE OR REPLACE FUNCTION backfill.works(run_state text, direction text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    -- A canary is verified while its run goes on.
    SELECT CASE direction WHEN 'back' THEN run_state = 'ROLLING_BACK' WHEN 'verify' THEN run_state IN ('VERIFYING', 'RUNNING')
        ELSE run_state IN ('PLANNING', 'RUNNING') END
$$;

-- moves tells whether chunks of whatever direction are worked on.
CREATE OR REPLACE FUNCTION backfill.moves(run_state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT run_state IN ('PLANNING', 'RUNNING', 'ROLLING_BACK', 'VERIFYING')
$$;

-- claim gives the caller the chunk if nobody else holds it, with a fence that is higher than any before.
-- The same owner may claim again while its lease lives: after an answer that never came. A worker of a version that does not know
-- verification gets no chunk of one: it would write where nothing is to be written.
CREATE FUNCTION backfill.claim(
    the_run text, the_chunk bigint, the_lo text[], the_hi text[], the_send bigint, the_owner text,
    lease interval, stale interval, verifies boolean DEFAULT false,
    OUT verdict text, OUT fence bigint, OUT seq bigint, OUT "position" text[], OUT scanned bigint, OUT affected bigint,
    OUT reason text, OUT direction text, OUT passes integer, OUT striped bigint, OUT striped_hot bigint,
    OUT due boolean, OUT mends boolean
) LANGUAGE plpgsql AS $$
DECLARE
    run_state text;
    beat      timestamptz;
    share     bigint;
    entry     backfill.ledger%ROWTYPE;
    no_slot   text;
BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', '5s', true);
    SELECT r.state, r.heartbeat, r.mends, r.canary INTO run_state, beat, mends, share FROM backfill.runs r WHERE r.run = the_run;
    IF run_state IS NULL OR NOT backfill.moves(run_state) THEN
        verdict := 'closed';
        reason := coalesce(run_state, 'no such run');
        RETURN;
    END IF;
    IF beat < clock_timestamp() - stale THEN
        verdict := 'unwatched';
        RETURN;
    END IF;
    -- A rollback only knows chunks that were claimed before it began. Whoever sends a chunk that is not of the canary has it held here.
    INSERT INTO backfill.ledger (run, chunk, lo, hi, held) SELECT the_run, the_chunk, the_lo, the_hi, NOT backfill.chosen(the_chunk, share)
        WHERE backfill.works(run_state, 'forward') ON CONFLICT DO NOTHING;
    -- Waits for a zombie's transaction: afterwards its batch is either in seq and position, or will never be.
    SELECT * INTO entry FROM backfill.ledger l WHERE l.run = the_run AND l.chunk = the_chunk FOR UPDATE;
    fence := entry.fence;
    seq := entry.seq;
    "position" := entry."position";
    scanned := entry.scanned;
    affected := entry.affected;
    reason := entry.reason;
    direction := entry.direction;
    passes := entry.passes;
    IF entry.state IS NULL THEN
        verdict := 'closed';
        reason := run_state;
    ELSIF entry.state NOT IN ('PENDING', 'PROCESSING') THEN
        verdict := lower(entry.state);
    ELSIF NOT backfill.works(run_state, entry.direction) THEN
        verdict := 'closed';
        reason := run_state;
    ELSIF entry.held AND share > 0 THEN
        verdict := 'held';
    ELSIF (entry.lo, entry.hi) IS DISTINCT FROM (the_lo, the_hi) THEN
        verdict := 'foreign';
    ELSIF entry.state = 'PROCESSING' AND entry.lease_until > clock_timestamp() AND entry.owner <> the_owner THEN
        verdict := 'leased';
    ELSIF the_send < entry.send OR (entry.state = 'PENDING' AND the_send = entry.send AND entry.fence > 0) THEN
        verdict := 'spent';
    ELSIF entry.state = 'PENDING' AND entry.not_before > clock_timestamp() OR entry.direction = 'verify' AND NOT verifies THEN
        verdict := 'early';
    ELSE
        no_slot := backfill.refused(the_run, the_chunk);
        verdict := CASE no_slot WHEN '' THEN 'claimed' ELSE 'full' END;
    END IF;
    IF verdict = 'full' THEN   -- given back at once: its message is spent
        reason := no_slot;
        UPDATE backfill.ledger l
            SET state = 'PENDING', fence = l.fence + 1, send = the_send, lease_until = NULL, reason = no_slot,
                not_before = clock_timestamp() + interval '2 s', updated_at = clock_timestamp()
            WHERE l.run = the_run AND l.chunk = the_chunk
            RETURNING l.fence INTO fence;
    ELSIF verdict = 'claimed' THEN
        UPDATE backfill.ledger l
            SET state = 'PROCESSING', fence = l.fence + 1, send = the_send, owner = the_owner, not_before = NULL,
                retries = l.retries + CASE l.owner WHEN '' THEN 0 ELSE 1 END,
                lease_until = clock_timestamp() + lease, updated_at = clock_timestamp()
            WHERE l.run = the_run AND l.chunk = the_chunk
            RETURNING l.fence INTO fence;
        -- What striping did for the chunks before this one.
        SELECT coalesce(sum(l.affected), 0), coalesce(sum(l.hot), 0) INTO striped, striped_hot FROM backfill.ledger l
            WHERE l.run = the_run AND l.chunk BETWEEN the_chunk - 16 AND the_chunk - 1 AND l.passes > 1 AND l.state = 'COMPLETED';
        due := entry.direction = 'forward'
            AND EXISTS (SELECT FROM backfill.rejects j WHERE j.run = the_run AND j.chunk = the_chunk AND j.due);
    END IF;
END $$;

-- advance comes first in the transaction of every batch. It raises unless the caller still holds the chunk and this
-- is the next batch, so that nothing after it in the pipeline can commit; then it moves the ledger and the lease.
-- The owner counts as well as the fence: a database that was restored to an older time gives fences out again.
-- Its settings hold for the rest of the transaction only. lock_timeout: while we wait for a user's row lock, other
-- users wait for ours, so we give up soon and try again smaller; it is below deadlock_timeout (1 s), so no user is
-- ever the victim of a deadlock with us. The last five: values are kept as text that reads back as the same value.
CREATE OR REPLACE FUNCTION backfill.advance(
    the_run text, the_chunk bigint, the_owner text, the_fence bigint, the_seq bigint,
    keys bigint, reached text[], done boolean, lease interval, stale interval, statement_timeout interval
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    run_state text;
    beat      timestamptz;
BEGIN
    PERFORM pg_catalog.set_config(setting, value, true) FROM (VALUES
        ('lock_timeout', '200ms'),
        ('statement_timeout', extract(epoch FROM statement_timeout) || 's'),
        ('idle_in_transaction_session_timeout', extract(epoch FROM statement_timeout) || 's'),
        ('max_parallel_workers_per_gather', '0'),
        ('enable_seqscan', 'off'),
        ('jit', 'off'),
        -- A batch of which only half arrives holds its locks as long as the connection lives. A peer that is gone
        -- without a word is noticed in 25 s; one that is frozen only by transaction_timeout.
        ('tcp_keepalives_idle', '10'),
        ('tcp_keepalives_interval', '5'),
        ('tcp_keepalives_count', '3'),
        ('datestyle', 'ISO, MDY'),
        ('intervalstyle', 'postgres'),
        ('timezone', 'UTC'),
        ('extra_float_digits', '1'),
        ('bytea_output', 'hex')) AS settings (setting, value);
    IF pg_catalog.current_setting('server_version_num')::int >= 170000 THEN
        PERFORM pg_catalog.set_config('transaction_timeout', extract(epoch FROM lease) || 's', true);
    END IF;
    SELECT state, heartbeat INTO run_state, beat FROM backfill.runs r WHERE r.run = the_run;
    IF run_state IS NULL OR NOT backfill.moves(run_state) THEN
        RAISE EXCEPTION USING ERRCODE = 'BF002',
            MESSAGE = format('run %s is %s', the_run, coalesce(run_state, 'unknown'));
    END IF;
    IF beat < clock_timestamp() - stale THEN
        RAISE EXCEPTION USING ERRCODE = 'BF003',
            MESSAGE = format('run %s has no heartbeat since %s', the_run, beat);
    END IF;
    UPDATE backfill.ledger l
        SET seq = l.seq + 1, scanned = l.scanned + CASE l.direction WHEN 'verify' THEN 0 ELSE keys END,
            looked = l.looked + CASE l.direction WHEN 'verify' THEN keys ELSE 0 END, "position" = coalesce(reached, l."position"),
            state = CASE WHEN NOT done THEN l.state WHEN l.direction = 'back' THEN 'ROLLED_BACK' ELSE 'COMPLETED' END,
            undo_bytes = CASE WHEN done AND l.direction = 'back' THEN 0 ELSE l.undo_bytes END,
            lease_until = CASE WHEN done THEN NULL ELSE clock_timestamp() + lease END,
            updated_at = clock_timestamp(), advanced_at = clock_timestamp()
        WHERE l.run = the_run AND l.chunk = the_chunk AND l.owner = the_owner AND l.fence = the_fence AND l.seq = the_seq
          AND l.state = 'PROCESSING' AND backfill.works(run_state, l.direction);
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'BF001',
            MESSAGE = format('chunk %s of run %s: fence %s or batch %s is stale', the_chunk, the_run, the_fence, the_seq);
    END IF;
END $$;

-- written gives the number of rows that a batch wrote. It raises where users changed rows between being found and
-- being written: those were left alone, and nothing of the batch may commit without them.
CREATE OR REPLACE FUNCTION backfill.written(written bigint, wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF written <> wanted THEN
        RAISE EXCEPTION USING ERRCODE = 'BF004',
            MESSAGE = format('%s of %s rows were changed by others meanwhile', wanted - written, wanted);
    END IF;
    RETURN written;
END $$;

-- paired gives the number of rows that a batch found, unless one of them belongs to several rows of the tables that are joined.
CREATE OR REPLACE FUNCTION backfill.paired(wanted bigint, pairs bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF pairs > 1 THEN
        RAISE EXCEPTION USING ERRCODE = '21000',
            MESSAGE = format('%s rows of the joined tables belong to one row, and it is not said which', pairs);
    END IF;
    RETURN wanted;
END $$;

-- archived tells that all rows that a batch deleted are in the archive.
CREATE OR REPLACE FUNCTION backfill.archived(deleted bigint, kept bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF deleted <> kept THEN
        RAISE EXCEPTION USING ERRCODE = '44000',
            MESSAGE = format('the archive did not take %s of %s rows: a trigger keeps them out', deleted - kept, deleted);
    END IF;
    RETURN true;
END $$;

-- reject notes a row that does not allow the change, in the transaction that passes over it, and counts it in the ledger.
-- One that was rejected before, and is tried again, has its new error. It raises where the run has as many as its budget allows; rows of one run are noted one after the other, so that the
-- count is right whatever its workers do at once.
CREATE OR REPLACE FUNCTION backfill.reject(
    the_run text, the_chunk bigint, the_key text[], the_sqlstate text, the_message text, budget bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    noted bigint;
BEGIN
    UPDATE backfill.rejects j SET due = false, sqlstate = the_sqlstate, message = left(the_message, 1000), found_at = clock_timestamp()
        WHERE j.run = the_run AND j.chunk = the_chunk AND j.key = the_key;
    IF FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_catalog.pg_advisory_xact_lock('backfill.rejects'::regclass::oid::int, pg_catalog.hashtext(the_run));
    SELECT coalesce(sum(l.rejected), 0) INTO noted FROM backfill.ledger l WHERE l.run = the_run AND l.direction <> 'back';
    -- Read here, so that a budget that a person changes holds from this row on.
    budget := coalesce((SELECT s.error_budget FROM backfill.shares s WHERE s.run = the_run), budget);
    IF noted >= budget THEN
        RAISE EXCEPTION USING ERRCODE = 'BF005',
            MESSAGE = format('the error budget is %s rows, and %s are rejected', budget, noted);
    END IF;
    INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) 
        VALUES (the_run, the_chunk, the_key, the_sqlstate, left(the_message, 1000));
    UPDATE backfill.ledger l SET rejected = l.rejected + 1 WHERE l.run = the_run AND l.chunk = the_chunk;
END $$;

-- whole tells whether those columns are all that a row of the table has. It raises where one is missing: what is deleted
-- is kept by these columns, and the value of one that was added since would be lost. The table is locked by then, so none comes.
CREATE OR REPLACE FUNCTION backfill.whole(target text, columns text[]) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    added text;
BEGIN
    SELECT attname INTO added FROM pg_catalog.pg_attribute WHERE attrelid = target::regclass AND attnum > 0
        AND NOT attisdropped AND attgenerated = '' AND attname <> ALL (columns) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'BF006',
            MESSAGE = format('column %I was added to %s after the run began, so it would not be kept; end this run and start another', added, target);
    END IF;
    RETURN true;
END $$;

-- apart tells whether no two rows of a batch are for one row of the table that they are written to. It raises where two are: as an
-- error of data, so that the batch is halved until each comes after the other.
CREATE OR REPLACE FUNCTION backfill.apart(rows bigint, keys bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF rows <> keys THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = format('%s rows of a batch are for %s rows', rows, keys);
    END IF;
    RETURN true;
END $$;

-- moved tells whether each row that was deleted in one table is in the other. It raises where one is not: as an error of data about the place
-- of a row, so that it is found.
CREATE OR REPLACE FUNCTION backfill.moved(gone bigint, there bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF gone <> there THEN
        RAISE EXCEPTION USING ERRCODE = '23001', MESSAGE = format('a trigger kept %s of %s rows out of the other table, or gave them another key', gone - there, gone);
    END IF;
    RETURN true;
END $$;
