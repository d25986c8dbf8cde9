package catalog

import (
	"context"
	"fmt"
)

// size is what the catalog knows of the table's extent.
type size struct {
	rows       int64
	bytes      int64 // with TOAST, without indexes
	partitions int64
	foreign    bool // a partition lives elsewhere
	guessed    bool // a part was never analysed
}

// The density of a part that was analysed, else that of rows of the columns' usual widths (as Postgres' own planner
// guesses it), times its present size. reltuples alone is stale after a load, and -1 before the first ANALYZE.
const sizeQuery = `WITH leaf AS (
	SELECT c.oid, c.relkind, c.reltuples, c.relpages, pg_relation_size(c.oid) AS bytes, pg_table_size(c.oid) AS with_toast,
		current_setting('block_size')::float8 AS block
	FROM pg_class c
	WHERE c.oid = $1 AND c.relkind = 'r' OR c.oid IN (SELECT relid FROM pg_partition_tree($1) WHERE isleaf)
)
SELECT coalesce(sum(round(bytes / block * CASE WHEN reltuples > 0 AND relpages > 0 THEN reltuples / relpages
		ELSE (block - 24) / (28 + (SELECT sum(CASE WHEN attlen > 0 THEN attlen ELSE 32 END) FROM pg_attribute
			WHERE attrelid = leaf.oid AND attnum > 0 AND NOT attisdropped)) END)), 0)::bigint,
	coalesce(sum(with_toast), 0)::bigint, count(*), coalesce(bool_or(relkind = 'f'), false),
	coalesce(bool_or(bytes > 0 AND NOT (reltuples > 0 AND relpages > 0)), false)
FROM leaf`

func (r *resolver) readSize(ctx context.Context) error {
	s := &r.size
	if err := r.tx.QueryRow(ctx, sizeQuery, r.table.OID).Scan(&s.rows, &s.bytes, &s.partitions, &s.foreign, &s.guessed); err != nil {
		return fmt.Errorf("estimate the rows: %w", err)
	}
	if s.foreign {
		r.refuse("table", 0, r.table.Name+": a partition is a foreign table, whose rows are in another database",
			"write a backfill for each partition that is a table")
	}
	return nil
}

// crumb is a partition of so few rows that a window of keys lies in many: up to Postgres 16 each of them is asked for each key.
const crumb = 5_000

// crumbs tells whether partitions are small, on average. Of a table that looks empty nobody knows.
func (s size) crumbs() bool { return s.rows > 0 && s.partitions > 1 && s.rows < crumb*s.partitions }

// rowBytes is the usual size of a row, 0 where the table looks empty.
func (s size) rowBytes() int64 {
	if s.rows <= 0 {
		return 0
	}
	return s.bytes / s.rows
}
