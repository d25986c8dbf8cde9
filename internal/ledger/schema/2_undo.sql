-- Version 2: undo, rollback, resume.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS action text NOT NULL DEFAULT 'start';   -- or rollback
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS resumed_at timestamptz;   -- messages sent before it count as lost
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS returns_to text;   -- the state before a rollback; again the run's where it was a part; null: it goes forward
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS undo_swept_at timestamptz;

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS direction text NOT NULL DEFAULT 'forward';   -- or back
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS sent bigint NOT NULL DEFAULT 0;   -- highest send that was put on the queue from here
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS sent_at timestamptz;
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS restored bigint NOT NULL DEFAULT 0;
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS conflicts bigint NOT NULL DEFAULT 0;
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS undo_bytes bigint NOT NULL DEFAULT 0;   -- as stored, when the chunk was completed

-- What a batch overwrote, one row for each stretch of its range, written in its transaction. Values are text, so that
-- the table depends on no type of the user's. A list holds column after column, each with "rows" entries.
CREATE TABLE IF NOT EXISTS backfill.undo (
    run   text    NOT NULL,
    chunk bigint  NOT NULL,
    seq   bigint  NOT NULL,            -- the batch
    part  integer NOT NULL,            -- the stretch of its range
    rows  integer NOT NULL,
    done  integer NOT NULL DEFAULT 0,  -- rows that a rollback has consumed, from the first
    steps bigint[],                    -- an integer key: the distance of each from the one before; the first is itself
    keys  text[],                      -- any other key
    olds  text[],                      -- the columns that were written; null: every value was NULL
    marks bytea   NOT NULL,            -- 5 bytes of hash a row: what was written
    PRIMARY KEY (run, chunk, seq, part)
);
ALTER TABLE backfill.undo ALTER COLUMN marks SET STORAGE EXTERNAL;   -- hashes do not compress
-- lz4 is three times as fast as pglz; a server may be built without it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE backfill.undo ALTER COLUMN steps SET COMPRESSION lz4;
        ALTER TABLE backfill.undo ALTER COLUMN keys SET COMPRESSION lz4;
        ALTER TABLE backfill.undo ALTER COLUMN olds SET COMPRESSION lz4;
    END IF;
END $$;

-- Rows that a rollback left alone, since they no longer hold what the run wrote.
CREATE TABLE IF NOT EXISTS backfill.conflicts (
    run      text   NOT NULL,
    chunk    bigint NOT NULL,
    key      text[] NOT NULL,
    holds    text[],                   -- the columns that were written, cut to 1000 characters; null: the row is gone
    found_at timestamptz,              -- null within the transaction that found it
    PRIMARY KEY (run, chunk, key)
);
