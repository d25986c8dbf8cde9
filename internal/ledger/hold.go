package ledger

import "context"

// Hold renews the lease of a chunk without a batch: something outside of the database takes its time. False: the fence is stale.
func (l *Ledger) Hold(ctx context.Context, claim Claim) (bool, error) {
	return l.leave(ctx, claim, "hold", `UPDATE backfill.ledger SET lease_until = clock_timestamp() + $4::interval
		WHERE run = $1 AND chunk = $2 AND fence = $3 AND state = 'PROCESSING'`, claim.Lease)
}
