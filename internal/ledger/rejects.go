package ledger

import "backfill/internal/keyset"

// Reject is a row that does not allow the change, and what Postgres said of it. The message may quote the row's values, so
// it goes from Postgres to Postgres, and nowhere else.
type Reject struct {
	Key      keyset.Point
	SQLState string
	Message  string
}

// Reject notes a row in the transaction that passes over it. BF005 is raised where the run has as many as the budget allows.
func (c Claim) Reject(r Reject, budget int64) (string, []any) {
	return "SELECT backfill.reject($1, $2, $3, $4, $5, $6)", []any{c.Message.Run, c.Message.Chunk, r.Key, r.SQLState, r.Message, budget}
}
