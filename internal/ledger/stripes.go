package ledger

import (
	"context"
)

// Decide fixes in how many passes the chunk is gone over, and why, for this claim and all after it. False: the fence is
// stale, and nothing happened.
func (l *Ledger) Decide(ctx context.Context, claim Claim, passes int, reason string) (bool, error) {
	return l.leave(ctx, claim, "decide on the passes of", `UPDATE backfill.ledger SET passes = $4, passes_reason = $5
		WHERE run = $1 AND chunk = $2 AND fence = $3 AND state = 'PROCESSING'`, passes, reason)
}

// BeforeHot remembers, for the rest of the transaction, what CountHot counts from.
func (c Claim) BeforeHot(table string, partitioned bool) (string, []any) {
	return "SELECT pg_catalog.set_config('backfill.hot', (" + hot("$1", partitioned) + ")::text, true)", []any{table}
}

// CountHot makes the ledger count the updates of the transaction that left the indexes alone.
func (c Claim) CountHot(table string, partitioned bool) (string, []any) {
	return "UPDATE backfill.ledger SET hot = hot + (" + hot("$3", partitioned) + `)
		- pg_catalog.current_setting('backfill.hot')::bigint WHERE run = $1 AND chunk = $2`, []any{c.Message.Run, c.Message.Chunk, table}
}

// hot is what Postgres has counted of a table in the session. Updates count for the partition that has the row, never for the table above.
// Partitions are looked up by the catalog's index, whatever other tables have: pg_partition_tree locks each, and takes five times as long for 1,000.
func hot(table string, partitioned bool) string {
	if !partitioned {
		return "pg_catalog.pg_stat_get_xact_tuples_hot_updated(" + table + "::text::regclass)"
	}
	return `WITH RECURSIVE tree AS (SELECT ` + table + `::text::regclass::oid AS part UNION ALL
		SELECT inhrelid FROM tree, LATERAL (SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = part OFFSET 0) AS below)
		SELECT coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_hot_updated(part)), 0)::bigint FROM tree`
}
