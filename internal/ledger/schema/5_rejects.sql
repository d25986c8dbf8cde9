-- Version 5: rejects. Rows that do not allow the change and were passed over, each written in the transaction that passes
-- over it. The message is Postgres' own and may quote values of the row: it is read from here, and stored nowhere else.
CREATE TABLE IF NOT EXISTS backfill.rejects (
    run      text        NOT NULL,
    chunk    bigint      NOT NULL,
    key      text[]      NOT NULL,
    sqlstate text        NOT NULL,
    message  text        NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due      boolean     NOT NULL DEFAULT false,      -- a person has asked for it to be tried again
    PRIMARY KEY (run, chunk, key)
);
CREATE INDEX IF NOT EXISTS rejects_due ON backfill.rejects (run, chunk, key) WHERE due;

ALTER TABLE backfill.ledger ADD COLUMN IF NOT EXISTS rejected bigint NOT NULL DEFAULT 0;   -- rows of the chunk in backfill.rejects
