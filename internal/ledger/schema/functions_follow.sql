-- writers lists the transactions that hold a lock on the table, or on a partition of it, as one who writes rows needs it: by their virtual
-- numbers, which anybody may read.
CREATE OR REPLACE FUNCTION backfill.writers(the_table regclass) RETURNS text[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND granted AND pid IS DISTINCT FROM pg_backend_pid()
        AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        AND relation IN (SELECT the_table UNION SELECT relid FROM pg_catalog.pg_partition_tree(the_table))
$$;

-- awaited counts those of them that go on.
CREATE OR REPLACE FUNCTION backfill.awaited(writers text[]) RETURNS bigint LANGUAGE sql AS $$
    SELECT CASE WHEN cardinality(writers) > 0 THEN
        (SELECT count(DISTINCT virtualtransaction) FROM pg_catalog.pg_locks WHERE virtualtransaction = ANY (writers)) ELSE 0 END
$$;
