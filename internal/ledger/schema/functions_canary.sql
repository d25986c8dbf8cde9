-- chosen tells whether a chunk is of the canary by its number: of all as many as its share of a million says, evenly, the first among them.
CREATE OR REPLACE FUNCTION backfill.chosen(chunk bigint, share bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT share <= 0 OR (chunk - 1) * share % 1000000 < share
$$;

-- extent is how large tables are, partitions and all.
CREATE OR REPLACE FUNCTION backfill.extent(tables text[], OUT bytes bigint, OUT indexes bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(pg_catalog.pg_table_size(c.oid)), 0)::bigint, coalesce(sum(pg_catalog.pg_indexes_size(c.oid)), 0)::bigint
    FROM pg_catalog.pg_class c, unnest(tables) AS name WHERE c.relkind = 'r'
        AND (c.oid = name::regclass OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(name::regclass)))
$$;
