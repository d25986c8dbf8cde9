package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/keyset"
	"backfill/internal/postgres"
)

// Conflict is a row that a rollback left alone, with its key in the table that the run wrote. Values are of the columns that it
// wrote, or of all beside the key of a row that it deleted, cut to 1000 characters.
type Conflict struct {
	Chunk   int64        `json:"chunk"`
	Key     keyset.Point `json:"key"`
	Holds   []*string    `json:"holds"` // when the rollback came by; null: no row had the key
	Was     []*string    `json:"was"`   // before the run; null: not kept; empty: there was no row
	FoundAt time.Time    `json:"found_at"`
	// Why it was left alone; "": it no longer held what the run wrote. It can quote values.
	Why string `json:"why,omitempty"`
}

// conflictsQuery is completed by its order, twice. Keys alone are sorted to find the page: values may be long, which is also
// why those of before the run are cut.
const conflictsQuery = `SELECT chunk, key, holds, CASE cardinality(was) WHEN 0 THEN was ELSE (SELECT array_agg(left(value, 1000) ORDER BY n)
	FROM unnest(was) WITH ORDINALITY AS listed (value, n)) END, found_at, why
FROM (SELECT run, chunk, key FROM backfill.conflicts WHERE run = $1 ORDER BY chunk, %[1]s OFFSET $2 LIMIT $3) AS page
JOIN backfill.conflicts USING (run, chunk, key) ORDER BY chunk, %[1]s`

// Conflicts visits the conflicts of a run by chunk and in the order of its key, after those that were visited before, until
// visit says that it has enough. They are not collected: a page of them may be larger than the memory of a function.
func (l *Ledger) Conflicts(ctx context.Context, r Run, after, limit int64, visit func(Conflict) (enough bool)) error {
	_, key := r.Change.Written()
	if err := eachByKey(ctx, l.database, conflictsQuery, key, r, after, limit, visit); err != nil {
		return fmt.Errorf("list the conflicts of run %s: %w", r.Run, postgres.Classify(err))
	}
	return nil
}
