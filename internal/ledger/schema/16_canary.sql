-- Version 16: a canary. Some chunks, spread over the key space, are worked on first; the others are held until a person has approved.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS canary bigint NOT NULL DEFAULT 0;   -- millionths of its chunks; 0: there is none, or it was approved
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS tables_before bigint;               -- bytes of the tables that it writes, with TOAST, when it began; null: no canary
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS indexes_before bigint;              -- bytes of their indexes
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS forecast jsonb;                     -- what the canary has shown; null: it did not come to its end yet

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS held boolean NOT NULL DEFAULT false;   -- not worked on while the canary of its run stands
ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS counted bigint;                          -- that a held chunk had when it was planned; null: not counted

-- What a worker's stay at a chunk of a canary took. Up to Postgres 17 WAL is counted for the whole server, so stays that overlap count the
-- same WAL: the counters themselves are kept, not their difference.
CREATE TABLE IF NOT EXISTS backfill.stays (
    run         text             NOT NULL,
    chunk       bigint           NOT NULL,
    fence       bigint           NOT NULL,
    begun_at    timestamptz      NOT NULL,
    ended_at    timestamptz      NOT NULL,
    keys        bigint           NOT NULL,   -- that were looked at
    rows        bigint           NOT NULL,   -- that were written
    own         boolean          NOT NULL,   -- the counters are those of the worker's session alone
    wal_from    bigint,                      -- bytes; null: Postgres did not tell
    wal_to      bigint,
    images_from bigint,                      -- pages that were written whole
    images_to   bigint,
    PRIMARY KEY (run, chunk, fence)
);
