-- Version 1: runs and the ledger. Every statement can be run again.
-- Not IF NOT EXISTS: that asks for the right to make it even where it is there.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'backfill') THEN
        CREATE SCHEMA backfill;
    END IF;
END $$;

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
