-- Version 18: a run may go down from the greatest key. Its bound stands here then, and the column bound is '{}', which is no key: a version that does not know of
-- the order fails on it when it would plan, in place of going up from where the plan stands, over chunks that are done.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS top text[];
