-- Version 12: definitions that are registered. A run says which version it was started from.
ALTER TABLE backfill.runs ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 0;   -- 0: it was compiled in, or came with the request
