-- Version 3: striping. The keys of a window of a chunk, one row for each batch of a pass: what is left of it when a
-- worker dies is what its successor does, whatever keys came or went since. Consumed in the transaction that applies it.
CREATE TABLE IF NOT EXISTS backfill.stripes (
    run     text    NOT NULL,
    chunk   bigint  NOT NULL,
    part    integer NOT NULL,            -- the order of the batches: pass by pass
    rows    integer NOT NULL,
    done    integer NOT NULL DEFAULT 0,  -- keys that are consumed, from the first
    ids     bigint[],                    -- an integer key
    keys    text[],                      -- any other key: column after column, each with "rows" entries
    reached text[],                      -- the last part: the window's last key
    PRIMARY KEY (run, chunk, part)
);

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS passes integer;   -- over a window; 1: plain; null: not decided yet
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS passes_reason text NOT NULL DEFAULT '';
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS hot bigint NOT NULL DEFAULT 0;   -- updates that left the indexes alone
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE backfill.stripes ALTER COLUMN ids SET COMPRESSION lz4;
        ALTER TABLE backfill.stripes ALTER COLUMN keys SET COMPRESSION lz4;
    END IF;
END $$;
