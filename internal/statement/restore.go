package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
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

// restoring is how the rows of backfill_image are restored: backfill_restored, how both are joined as r and i, what r has
// not where a row was left alone, and why that is; "": it no longer holds what the run wrote. Where `or` holds of i, it is
// another reason.
type restoring struct{ cte, same, absent, why, or, orWhy string }

// Restore gives rows back what they held, where they still are as the run left them. It is a list of CTEs:
// backfill_restored has a row for each row that was restored, backfill_kept one for each that was left alone and noted as
// a conflict. Those are found by a full join, which cannot be a nested loop: Postgres takes a list to be short, and would
// compare each row with each.
func Restore(c change.Change, p Piece) Query {
	how := of(c).restore(c, p.Part)
	return restore(c, p, how, fmt.Sprintf(" FULL JOIN backfill_restored AS r ON %s WHERE %s IS NULL", how.same, how.absent))
}

// Leave leaves the rows of a piece alone, for the reason why: in place of Restore where that fails on them.
func Leave(c change.Change, p Piece, why string) Query {
	return restore(c, p, restoring{cte: "backfill_restored AS (SELECT FROM backfill_image WHERE false)", why: why}, "")
}

func restore(c change.Change, p Piece, how restoring, unless string) Query {
	bind := &binder{}
	_, key := c.Written()
	olds := len(of(c).olds(c, p.Part))
	run, chunk := bind.value(p.Run, "text"), bind.value(p.Chunk, "bigint")
	seq := bind.value(p.Seq, "bigint")
	where := fmt.Sprintf("run = %s AND chunk = %s AND seq = %s AND part = %s", run, chunk, seq, bind.value(p.Part, "integer"))
	from, to := bind.value(p.Done, "bigint"), bind.value(p.Done+p.Take, "bigint")
	names, why, anew := "", "", ""
	if how.why != "" {
		names, why, anew = ", why", bind.value(how.why, "text"), "why = excluded.why, "
		if how.or != "" {
			why = fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", how.or, bind.value(how.orWhy, "text"), why)
		}
		why = ", " + why
	}
	sql := fmt.Sprintf(`%s,
%s,
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was%s)
SELECT %s, %s, %s, ARRAY[%s], ARRAY[%s]::text[]%s FROM backfill_image AS i%s
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, %sfound_at = NULL RETURNING 1)`,
		imageOf(key, olds, where, from, to), how.cte, names, run, chunk, seq, strings.Join(textsOf("k", len(key)), ", "),
		strings.Join(numbered("o", olds), ", "), why, unless, anew)
	return Query{SQL: sql, Args: bind.args}
}

// imageOf reads one row of backfill.undo as rows (n, k1 .., o1 .., mark). The marks are put into memory once: each
// substring of a stored value would be a read of its own.
func imageOf(key []keyset.Column, olds int, where, from, to string) string {
	source, keys := listing(key, "backfill_undo", cuts("backfill_undo", "olds", olds)...)
	return fmt.Sprintf(`backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE %s),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * %d + 1 FOR %d) AS mark
FROM (SELECT n, %s
  FROM backfill_undo, %s) AS listed
WHERE n > %s AND n <= %s)`, where, markBytes, markBytes, list(keys, strings.Join(numbered("o", olds), ", ")), source, from, to)
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
	table, key := c.Written()
	matches, values := make([]string, len(key)), make([]string, len(c.Columns()))
	for i, name := range quoted(key) {
		matches[i] = fmt.Sprintf("backfill_row.%s = f.key[%d]::%s", name, i+1, key[i].Type)
	}
	for i, column := range c.Columns() {
		held := "backfill_row." + Quote(column.Name)
		if c.Kind == change.Move {
			held = counterpart(c, column)
		}
		values[i] = fmt.Sprintf("left(%s::text, %d)", held, heldCharacters)
	}
	holds := "'{}'::text[]"
	if len(values) > 0 {
		holds = "ARRAY[" + strings.Join(values, ", ") + "]"
	}
	sql := fmt.Sprintf(`UPDATE backfill.conflicts AS f SET found_at = clock_timestamp(), holds = (SELECT %s
  FROM %s AS backfill_row WHERE %s)
WHERE f.run = %s AND f.chunk = %s AND f.seq = %s AND f.found_at IS NULL`,
		holds, Table(table), strings.Join(matches, " AND "),
		bind.value(p.Run, "text"), bind.value(p.Chunk, "bigint"), bind.value(p.Seq, "bigint"))
	return Query{SQL: sql, Args: bind.args}
}
