-- Version 7: the rate of the whole database, whatever runs and stacks work in it, and the runs' shares of it.
CREATE TABLE IF NOT EXISTS backfill.throttle (
    one         boolean          PRIMARY KEY DEFAULT true CHECK (one),   -- there is one row
    rate        double precision,                 -- rows/s of all runs together; null: no limit
    ceiling     double precision,                 -- a person's: no rate goes above it; null: none
    set_by      text             NOT NULL DEFAULT '',   -- who set the ceiling
    refilled_at timestamptz      NOT NULL DEFAULT clock_timestamp(),
    reason      text             NOT NULL DEFAULT '',   -- of the rate
    decided_at  timestamptz,                      -- one decision at a time, whatever runs there are
    law         text             NOT NULL DEFAULT '{}', -- what is kept from one decision to the next, as JSON
    sample      text             NOT NULL DEFAULT '{}'  -- what was measured for the last decision, as JSON
) WITH (fillfactor = 10);   -- one row that changes each second: its old versions are pruned on its page
INSERT INTO backfill.throttle DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS backfill.shares (
    run      text             PRIMARY KEY,
    weight   double precision NOT NULL DEFAULT 1,
    tokens   double precision NOT NULL DEFAULT 0,   -- rows that the run may take of the database's rate; below 0: taken ahead of time
    rate     double precision,                      -- rows/s of the run alone, set by a person; null: no limit
    own      double precision NOT NULL DEFAULT 0,   -- rows that it may take of its own rate
    set_by   text             NOT NULL DEFAULT '',
    asked_at timestamptz,                           -- null: it never asked
    speed    double precision NOT NULL DEFAULT 0,   -- rows/s, as its governor saw them last
    speed_at timestamptz
) WITH (fillfactor = 50);
