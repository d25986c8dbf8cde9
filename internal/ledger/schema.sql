-- The schema that backfill keeps in the target database. Applied by the planner, or by hand where it has no right.
-- Every statement can be run again.
CREATE SCHEMA IF NOT EXISTS backfill;

CREATE TABLE IF NOT EXISTS backfill.version (
    version    integer     NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS backfill.runs (
    run        text        PRIMARY KEY,
    backfill   text        NOT NULL,
    execution  text        NOT NULL,                  -- ARN of the execution that the run belongs to
    target     text        NOT NULL,                  -- quoted, schema-qualified name of the table
    definition text        NOT NULL,                  -- the file's text, as it was when the run began
    change     json        NOT NULL,                  -- what workers execute, whatever is deployed later
    bound      text[],                                -- upper end of the key space; null: the table was empty
    estimated  bigint      NOT NULL DEFAULT 0,        -- rows, by the catalog, when the run began
    state      text        NOT NULL,
    closes_as  text,                                  -- the state that CANCELLING leads to
    reason     text        NOT NULL DEFAULT '',
    heartbeat  timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz
) WITH (fillfactor = 50);

-- The run lock: one run a table. It has no expiry, and every stack sees the same one.
CREATE UNIQUE INDEX IF NOT EXISTS runs_lock ON backfill.runs (target) WHERE ended_at IS NULL;

CREATE TABLE IF NOT EXISTS backfill.ledger (
    run         text        NOT NULL REFERENCES backfill.runs (run),
    chunk       bigint      NOT NULL,
    lo          text[],                               -- exclusive; null: from the first key
    hi          text[]      NOT NULL,                 -- inclusive
    state       text        NOT NULL DEFAULT 'PENDING',
    fence       bigint      NOT NULL DEFAULT 0,       -- grows with each claim
    seq         bigint      NOT NULL DEFAULT 0,       -- batches committed
    position    text[],                               -- last key that is done; null: none yet
    send        bigint      NOT NULL DEFAULT 0,       -- highest send that was consumed
    owner       text        NOT NULL DEFAULT '',      -- the delivery that holds the lease
    lease_until timestamptz,
    not_before  timestamptz,
    scanned     bigint      NOT NULL DEFAULT 0,
    affected    bigint      NOT NULL DEFAULT 0,
    reason      text        NOT NULL DEFAULT '',
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, chunk)
) WITH (fillfactor = 50);

CREATE INDEX IF NOT EXISTS ledger_open ON backfill.ledger (run, chunk) WHERE state IN ('PENDING', 'PROCESSING');

-- claim gives the caller the chunk if nobody else holds it, with a fence that is higher than any before.
-- The same owner may claim again while its lease lives: after an answer that never came.
CREATE OR REPLACE FUNCTION backfill.claim(
    the_run text, the_chunk bigint, the_lo text[], the_hi text[], the_send bigint, the_owner text,
    lease interval, stale interval,
    OUT verdict text, OUT fence bigint, OUT seq bigint, OUT "position" text[], OUT scanned bigint, OUT affected bigint, OUT reason text
) LANGUAGE plpgsql AS $$
DECLARE
    run_state text;
    beat      timestamptz;
    entry     backfill.ledger%ROWTYPE;
BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', '5s', true);
    SELECT state, heartbeat INTO run_state, beat FROM backfill.runs r WHERE r.run = the_run;
    IF run_state IS NULL OR run_state NOT IN ('PLANNING', 'RUNNING') THEN
        verdict := 'closed';
        reason := coalesce(run_state, 'no such run');
        RETURN;
    END IF;
    IF beat < clock_timestamp() - stale THEN
        verdict := 'unwatched';
        RETURN;
    END IF;
    INSERT INTO backfill.ledger (run, chunk, lo, hi) VALUES (the_run, the_chunk, the_lo, the_hi)
        ON CONFLICT DO NOTHING;
    -- Waits for a zombie's transaction: afterwards its batch is either in seq and position, or will never be.
    SELECT * INTO entry FROM backfill.ledger l WHERE l.run = the_run AND l.chunk = the_chunk FOR UPDATE;
    fence := entry.fence;
    seq := entry.seq;
    "position" := entry."position";
    scanned := entry.scanned;
    affected := entry.affected;
    reason := entry.reason;
    IF entry.state NOT IN ('PENDING', 'PROCESSING') THEN
        verdict := lower(entry.state);
    ELSIF entry.state = 'PROCESSING' AND entry.lease_until > clock_timestamp() AND entry.owner <> the_owner THEN
        verdict := 'leased';
    ELSIF the_send < entry.send OR (entry.state = 'PENDING' AND the_send = entry.send AND entry.fence > 0) THEN
        verdict := 'spent';
    ELSIF entry.state = 'PENDING' AND entry.not_before > clock_timestamp() THEN
        verdict := 'early';
    ELSE
        verdict := 'claimed';
        UPDATE backfill.ledger l
            SET state = 'PROCESSING', fence = l.fence + 1, send = the_send, owner = the_owner, not_before = NULL,
                lease_until = clock_timestamp() + lease, updated_at = clock_timestamp()
            WHERE l.run = the_run AND l.chunk = the_chunk
            RETURNING l.fence INTO fence;
    END IF;
END $$;

-- advance comes first in the transaction of every batch. It raises unless the caller still holds the chunk and this
-- is the next batch, so that nothing after it in the pipeline can commit; then it moves the ledger and the lease.
-- Its settings hold for the rest of the transaction only. lock_timeout: while we wait for a user's row lock, other
-- users wait for ours, so we give up soon and try again smaller; it is below deadlock_timeout (1 s), so no user is
-- ever the victim of a deadlock with us.
CREATE OR REPLACE FUNCTION backfill.advance(
    the_run text, the_chunk bigint, the_fence bigint, the_seq bigint,
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
        ('tcp_keepalives_count', '3')) AS settings (setting, value);
    IF pg_catalog.current_setting('server_version_num')::int >= 170000 THEN
        PERFORM pg_catalog.set_config('transaction_timeout', extract(epoch FROM lease) || 's', true);
    END IF;
    SELECT state, heartbeat INTO run_state, beat FROM backfill.runs r WHERE r.run = the_run;
    IF run_state IS NULL OR run_state NOT IN ('PLANNING', 'RUNNING') THEN
        RAISE EXCEPTION USING ERRCODE = 'BF002',
            MESSAGE = format('run %s is %s', the_run, coalesce(run_state, 'unknown'));
    END IF;
    IF beat < clock_timestamp() - stale THEN
        RAISE EXCEPTION USING ERRCODE = 'BF003',
            MESSAGE = format('run %s has no heartbeat since %s', the_run, beat);
    END IF;
    UPDATE backfill.ledger l
        SET seq = l.seq + 1, scanned = l.scanned + keys, "position" = reached,
            state = CASE WHEN done THEN 'COMPLETED' ELSE l.state END,
            lease_until = CASE WHEN done THEN NULL ELSE clock_timestamp() + lease END,
            updated_at = clock_timestamp()
        WHERE l.run = the_run AND l.chunk = the_chunk AND l.fence = the_fence AND l.seq = the_seq
          AND l.state = 'PROCESSING';
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'BF001',
            MESSAGE = format('chunk %s of run %s: fence %s or batch %s is stale', the_chunk, the_run, the_fence, the_seq);
    END IF;
END $$;
