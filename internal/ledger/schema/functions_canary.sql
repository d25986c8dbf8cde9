-- chosen tells whether a chunk is of the canary by its number: of all as many as its share of a million says, evenly, the first among them.
CREATE OR REPLACE FUNCTION backfill.chosen(chunk bigint, share bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT share <= 0 OR (chunk - 1) * share % 1000000 < share
$$;

-- extent is how large tables are, partitions and all; null: that could not be told. Partitions are listed without a lock on any of them. To measure one takes a lock that
-- only who rebuilds or drops it keeps from us: nobody is waited for who takes longer than 0.2 s, and it is over after 2 s.
CREATE OR REPLACE FUNCTION backfill.extent(tables text[], OUT bytes bigint, OUT indexes bigint) LANGUAGE plpgsql STABLE SET lock_timeout = '200ms' AS $$
DECLARE
    part oid;
    until timestamptz := clock_timestamp() + interval '2 s';
BEGIN
    bytes := 0;
    indexes := 0;
    FOR part IN WITH RECURSIVE parts AS (
            SELECT name::regclass::oid AS oid FROM unnest(tables) AS name
            UNION SELECT i.inhrelid FROM parts p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid JOIN pg_catalog.pg_class c ON c.oid = p.oid AND c.relkind = 'p'
        ) SELECT c.oid FROM parts JOIN pg_catalog.pg_class c USING (oid) WHERE c.relkind = 'r'
    LOOP
        IF clock_timestamp() > until THEN
            RAISE EXCEPTION 'too many partitions';
        END IF;
        bytes := bytes + pg_catalog.pg_table_size(part);
        indexes := indexes + pg_catalog.pg_indexes_size(part);
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    bytes := NULL;
    indexes := NULL;
END $$;
