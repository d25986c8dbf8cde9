package ledger

import (
	"fmt"
	"time"

	"backfill/internal/keyset"
)

// Step is what one batch does to the ledger.
type Step struct {
	Keys    int64         // keys that the batch looks at
	Reached keyset.Point  // last key of the batch
	Done    bool          // nothing of the chunk is left after it
	Timeout time.Duration // bound of each statement; below the lease and the function's deadline
}

// Advance is the first statement of a batch's transaction: it raises (BF001, BF002, BF003) unless the claim still
// holds and the batch is the next one.
func (c Claim) Advance(step Step) (sql string, args []any) {
	return "SELECT backfill.advance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", []any{
		c.Message.Run, c.Message.Chunk, c.Fence, c.Seq,
		step.Keys, step.Reached, step.Done, c.Lease, c.Stale, step.Timeout,
	}
}

// Count makes a data statement, which returns one row for each row that it changed, count them in the ledger: in
// the same statement, so that progress is committed with the data or not at all. It returns the chunk's new sum.
func (c Claim) Count(data string, args []any) (string, []any) {
	sql := fmt.Sprintf("WITH changed AS (\n%s\n)\nUPDATE backfill.ledger SET affected = affected + (SELECT count(*) FROM changed)\n"+
		"WHERE run = $%d AND chunk = $%d RETURNING affected", data, len(args)+1, len(args)+2)
	return sql, append(args[:len(args):len(args)], c.Message.Run, c.Message.Chunk)
}
