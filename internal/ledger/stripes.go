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
func (c Claim) BeforeHot(table string) (string, []any) {
	return "SELECT pg_catalog.set_config('backfill.hot', pg_catalog.pg_stat_get_xact_tuples_hot_updated($1::text::regclass)::text, true)", []any{table}
}

// CountHot makes the ledger count the updates of the transaction that left the indexes alone.
func (c Claim) CountHot(table string) (string, []any) {
	return `UPDATE backfill.ledger SET hot = hot + pg_catalog.pg_stat_get_xact_tuples_hot_updated($3::text::regclass)
		- pg_catalog.current_setting('backfill.hot')::bigint WHERE run = $1 AND chunk = $2`, []any{c.Message.Run, c.Message.Chunk, table}
}
