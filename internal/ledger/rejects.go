package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"
)

// Reject is a row that does not allow the change, and what Postgres said of it. The message may quote the row's values, so
// it goes from Postgres to Postgres, or to a person who asks, and nowhere else.
type Reject struct {
	Key      keyset.Point
	SQLState string
	Message  string
}

// Reject notes a row in the transaction that passes over it. BF005 is raised where the run has as many as the budget allows.
func (c Claim) Reject(r Reject, budget int64) (string, []any) {
	return "SELECT backfill.reject($1, $2, $3, $4, $5, $6)", []any{c.Message.Run, c.Message.Chunk, r.Key, r.SQLState, r.Message, budget}
}

// DueReject finds the key of a rejected row of the chunk that is to be tried again.
func (c Claim) DueReject() (string, []any) {
	return "SELECT key FROM backfill.rejects WHERE run = $1 AND chunk = $2 AND due ORDER BY key LIMIT 1", []any{c.Message.Run, c.Message.Chunk}
}

// Consume takes a row off the rejects, in the transaction that applies it.
func (c Claim) Consume(key keyset.Point) (string, []any) {
	return `WITH consumed AS (DELETE FROM backfill.rejects WHERE run = $1 AND chunk = $2 AND key = $3::text[] RETURNING 1)
		UPDATE backfill.ledger SET rejected = rejected - (SELECT count(*) FROM consumed) WHERE run = $1 AND chunk = $2`,
		[]any{c.Message.Run, c.Message.Chunk, key}
}

// Rejected is a row that a run passed over.
type Rejected struct {
	Chunk    int64        `json:"chunk"`
	Key      keyset.Point `json:"key"`
	SQLState string       `json:"sqlstate"`
	Message  string       `json:"message"` // cut to 1000 characters
	FoundAt  time.Time    `json:"found_at"`
}

// rejectsQuery is completed by its order, twice. Keys alone are sorted to find the page: messages may be long.
const rejectsQuery = `SELECT chunk, key, sqlstate, message, found_at
FROM (SELECT run, chunk, key FROM backfill.rejects WHERE run = $1 ORDER BY chunk, %[1]s OFFSET $2 LIMIT $3) AS page
JOIN backfill.rejects USING (run, chunk, key) ORDER BY chunk, %[1]s`

// Rejects visits the rows that a run passed over by chunk and in the order of its key, after those that were visited before,
// until visit says that it has enough.
func (l *Ledger) Rejects(ctx context.Context, r Run, after, limit int64, visit func(Rejected) (enough bool)) error {
	if err := eachByKey(ctx, l.database, rejectsQuery, r.Change.Key, r, after, limit, visit); err != nil {
		return fmt.Errorf("list the rejects of run %s: %w", r.Run, postgres.Classify(err))
	}
	return nil
}
