package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// Piece is what is left of a row of backfill.undo, and how much of it a batch takes.
type Piece struct {
	Place
	Rows int64 // of the undo row
	Done int64 // of them consumed before
	Take int64 // of them consumed by the batch
}

// Rest is the number of rows of it that are not consumed yet.
func (p Piece) Rest() int64 { return p.Rows - p.Done }

// Peek finds the undo rows of a chunk that a rollback consumes next: the newest first. It returns at most two, each
// with seq, part, rows and done; one alone is the last.
func Peek(run string, chunk int64) Query {
	return Query{SQL: `SELECT seq, part, rows, done FROM backfill.undo WHERE run = $1 AND chunk = $2
ORDER BY seq DESC, part DESC LIMIT 2`, Args: []any{run, chunk}}
}

// Restore gives rows back what they held, where they still hold what the run wrote. It is a list of CTEs:
// backfill_restored has a row for each row that was restored, backfill_kept one for each that was left alone and noted as
// a conflict. Those are found by a full join, which cannot be a nested loop: Postgres takes a list to be short, and would
// compare each row with each.
func Restore(c change.Change, p Piece) Query {
	bind := &binder{}
	run, chunk := bind.value(p.Run, "text"), bind.value(p.Chunk, "bigint")
	seq := bind.value(p.Seq, "bigint")
	where := fmt.Sprintf("run = %s AND chunk = %s AND seq = %s AND part = %s", run, chunk, seq, bind.value(p.Part, "integer"))
	from, to := bind.value(p.Done, "bigint"), bind.value(p.Done+p.Take, "bigint")
	target, key := Quote(c.Table.Name), quoted(c.Key)
	sets, matches, texts := make([]string, len(c.Set)), make([]string, len(key)), make([]string, len(key))
	for i, column := range columns(c.Set) {
		sets[i] = fmt.Sprintf("%s = backfill_image.o%d::%s", column, i+1, c.Set[i].Type)
	}
	for i, name := range key {
		matches[i] = fmt.Sprintf("%s.%s = backfill_image.k%d", target, name, i+1)
		texts[i] = fmt.Sprintf("k%d::text", i+1)
	}
	sql := fmt.Sprintf(`%s,
backfill_restored AS (UPDATE %s SET %s FROM backfill_image
WHERE %s
  AND %s = backfill_image.mark
RETURNING backfill_image.n),
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was)
SELECT %s, %s, %s, ARRAY[%s], ARRAY[%s]::text[] FROM backfill_image AS i FULL JOIN backfill_restored AS r ON r.n = i.n WHERE r.n IS NULL
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, found_at = NULL RETURNING 1)`,
		image(c, where, from, to), Table(c.Table), strings.Join(sets, ", "), strings.Join(matches, " AND "),
		mark(qualified(target, columns(c.Set)), c.Set), run, chunk, seq, strings.Join(texts, ", "),
		strings.Join(numbered("o", len(c.Set)), ", "))
	return Query{SQL: sql, Args: bind.args}
}

// image reads one row of backfill.undo as rows (n, k1 .., o1 .., mark). The marks are put into memory once: each
// substring of a stored value would be a read of its own.
func image(c change.Change, where, from, to string) string {
	source, keys := listing(c.Key, "backfill_undo", cuts("backfill_undo", "olds", len(c.Set))...)
	return fmt.Sprintf(`backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE %s),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * %d + 1 FOR %d) AS mark
FROM (SELECT n, %s, %s
  FROM backfill_undo, %s) AS listed
WHERE n > %s AND n <= %s)`, where, markBytes, markBytes, keys, strings.Join(numbered("o", len(c.Set)), ", "), source, from, to)
}

// Consume takes what a batch restored off the undo row; the row goes when nothing of it is left.
func Consume(p Piece) Query {
	where := "run = $1 AND chunk = $2 AND seq = $3 AND part = $4"
	args := []any{p.Run, p.Chunk, p.Seq, p.Part}
	if p.Take >= p.Rest() {
		return Query{SQL: "DELETE FROM backfill.undo WHERE " + where, Args: args}
	}
	return Query{SQL: "UPDATE backfill.undo SET done = done + $5 WHERE " + where, Args: append(args, p.Take)}
}

// heldCharacters bounds what is kept of a value that a rollback left alone.
const heldCharacters = 1000

// Held notes what the conflicts of a batch hold now. It is a statement of its own, so that it sees what users
// committed while the rollback waited for their locks.
func Held(c change.Change, p Piece) Query {
	bind := &binder{}
	matches, values := make([]string, len(c.Key)), make([]string, len(c.Set))
	for i, name := range quoted(c.Key) {
		matches[i] = fmt.Sprintf("backfill_row.%s = f.key[%d]::%s", name, i+1, c.Key[i].Type)
	}
	for i, name := range columns(c.Set) {
		values[i] = fmt.Sprintf("left(backfill_row.%s::text, %d)", name, heldCharacters)
	}
	sql := fmt.Sprintf(`UPDATE backfill.conflicts AS f SET found_at = clock_timestamp(), holds = (SELECT ARRAY[%s]
  FROM %s AS backfill_row WHERE %s)
WHERE f.run = %s AND f.chunk = %s AND f.seq = %s AND f.found_at IS NULL`,
		strings.Join(values, ", "), Table(c.Table), strings.Join(matches, " AND "),
		bind.value(p.Run, "text"), bind.value(p.Chunk, "bigint"), bind.value(p.Seq, "bigint"))
	return Query{SQL: sql, Args: bind.args}
}
