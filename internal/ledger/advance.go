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
	return "SELECT backfill.advance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", []any{
		c.Message.Run, c.Message.Chunk, c.Owner, c.Fence, c.Seq,
		step.Keys, step.Reached, step.Done, c.Lease, c.Stale, step.Timeout,
	}
}

// Count makes the ledger count what a data statement changed: in the same statement, so that progress is committed
// with the data or not at all. The data statement is a list of CTEs, of which backfill_changed has a row for each row that
// was written; where there is backfill_found (rows that were to be written), both must agree, else BF004 is raised. It returns
// the chunk's new sum, and the bytes that backfill_image kept, 0 where there is none.
func (c Claim) Count(data string, args []any, has Parts) (string, []any) {
	written, kept, found := "(SELECT count(*) FROM backfill_changed)", "0", "(SELECT count(*) FROM backfill_found)"
	if has.Pairs {
		found = fmt.Sprintf("CASE WHEN %s < %s THEN backfill.paired(%[2]s, (SELECT max(backfill_pairs) FROM backfill_found)) ELSE %[2]s END", written, found)
	}
	switch {
	case has.Found:
		written = fmt.Sprintf("backfill.written(%s, %s)", written, found)
	case has.Pairs:
		written = fmt.Sprintf("least(%s, %s)", written, found)
	}
	if has.Image {
		kept = "coalesce((SELECT sum(bytes) FROM backfill_image), 0)::bigint"
	}
	sql := fmt.Sprintf("WITH %s\nUPDATE backfill.ledger SET affected = affected + %s\nWHERE run = $%d AND chunk = $%d RETURNING affected, %s",
		data, written, len(args)+1, len(args)+2, kept)
	return sql, append(args[:len(args):len(args)], c.Message.Run, c.Message.Chunk)
}

// CountLook makes the ledger count what a look at rows has found, and what was written of it, in the same statement: a list of CTEs
// of which backfill_looked has the figures, and backfill_changed a row for each row that was written, where something may be. It returns the
// chunk's sums of rows that deviate and that were written, and the bytes that were kept.
func (c Claim) CountLook(data string, args []any, mends bool, has Parts) (string, []any) {
	written, kept := "0", "0"
	if mends {
		written = "(SELECT count(*) FROM backfill_changed)"
	}
	if has.Found {
		written = "backfill.written(" + written + ", (SELECT count(*) FROM backfill_found))"
	}
	if has.Image {
		kept = "coalesce((SELECT sum(bytes) FROM backfill_image), 0)::bigint"
	}
	sql := fmt.Sprintf(`WITH %s,
backfill_written AS MATERIALIZED (SELECT %s AS rows)
UPDATE backfill.ledger AS l SET affected = l.affected + w.rows, mended = l.mended + w.rows, fitting = l.fitting + v.fitting,
  deviating = l.deviating + v.deviating, digest = coalesce(l.digest, 0) + v.digest,
  nulls = (SELECT array_agg(coalesce(l.nulls[n], 0) + v.nulls[n] ORDER BY n) FROM generate_subscripts(v.nulls, 1) AS n)
FROM backfill_looked AS v, backfill_written AS w
WHERE l.run = $%d AND l.chunk = $%d RETURNING l.affected, l.deviating, l.mended, %s`, data, written, len(args)+1, len(args)+2, kept)
	return sql, append(args[:len(args):len(args)], c.Message.Run, c.Message.Chunk)
}

// CountUnjudged counts a row that cannot be judged, since its expression fails on it, as one that deviates.
// Nobody knows what its columns hold, so it counts as NULL in each of them.
func (c Claim) CountUnjudged(columns int) (string, []any) {
	return `UPDATE backfill.ledger SET deviating = deviating + 1, fitting = fitting + 1, digest = coalesce(digest, 0),
		nulls = (SELECT array_agg(coalesce(nulls[n], 0) + 1 ORDER BY n) FROM generate_series(1, $3::int) AS n) WHERE run = $1 AND chunk = $2`,
		[]any{c.Message.Run, c.Message.Chunk, columns}
}

// CountNothing notes that a chunk without a row was looked at.
func (c Claim) CountNothing() (string, []any) {
	return "UPDATE backfill.ledger SET digest = coalesce(digest, 0) WHERE run = $1 AND chunk = $2", []any{c.Message.Run, c.Message.Chunk}
}

// Parts tells which CTEs a data statement has beside backfill_changed. Pairs: backfill_found has how often a row is in it.
type Parts struct{ Found, Image, Pairs bool }

// CountBack makes the ledger count what a restoring statement did: a list of CTEs of which backfill_restored and
// backfill_kept have a row for each row. It returns the chunk's new sums of both.
func (c Claim) CountBack(data string, args []any) (string, []any) {
	sql := fmt.Sprintf("WITH %s\nUPDATE backfill.ledger SET restored = restored + (SELECT count(*) FROM backfill_restored), "+
		"conflicts = conflicts + (SELECT count(*) FROM backfill_kept)\nWHERE run = $%d AND chunk = $%d RETURNING restored, conflicts",
		data, len(args)+1, len(args)+2)
	return sql, append(args[:len(args):len(args)], c.Message.Run, c.Message.Chunk)
}

// Weigh notes the size of what the chunk's batches keep for undo, as it is stored.
func (c Claim) Weigh() (string, []any) {
	return `UPDATE backfill.ledger SET undo_bytes = (SELECT coalesce(sum(coalesce(pg_column_size(u.steps), 0) + coalesce(pg_column_size(u.keys), 0)
		+ coalesce(pg_column_size(u.olds), 0) + pg_column_size(u.marks)), 0) FROM backfill.undo u WHERE u.run = $1 AND u.chunk = $2)
		WHERE run = $1 AND chunk = $2`, []any{c.Message.Run, c.Message.Chunk}
}
