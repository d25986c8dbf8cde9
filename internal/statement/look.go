package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// LookForm is how a look gets at what it overwrites: as a batch of the run does, also where undo is off, since the digest has to tell.
func LookForm(c change.Change, major int) Form {
	c.Undo = true
	return of(c).form(c, major)
}

// Look builds the statements that look at the rows of a span, one for each stretch of the index: a list of CTEs of which
// backfill_looked has one row: how many rows are in scope, how many of them deviate, the digest of those in scope, and for each written
// column how many rows hold NULL, whatever their scope. Where mends is told, those that deviate are written by the CTEs of Apply, which
// read nothing where none was seen; the digest and the NULLs are then what that leaves.
func Look(c change.Change, span Span, mends bool, form Form) []Query {
	return each(c, span, func(bind *binder, keys string) string {
		seen := seeing(bind, c, keys)
		if !mends {
			return seen + ",\nbackfill_looked AS MATERIALIZED (SELECT * FROM backfill_seen)"
		}
		written := of(c).apply(bind, c, keys+"\n  AND (SELECT s.deviating > 0 FROM backfill_seen AS s)", form)
		return seen + ",\n" + written + ",\n" + afterwards(c)
	})
}

// seeing reads each row of a stretch once, and asks of those in scope whether they do not hold what they should. OFFSET 0 keeps the planner from judging a row for each figure anew.
func seeing(bind *binder, c change.Change, keys string) string {
	judged, written := deviates(bind, c), c.Columns()
	return fmt.Sprintf(`backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(%s) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, %s AS nulls
FROM (SELECT %s, %s, %s AS backfill_deviates
FROM %s
WHERE %s OFFSET 0) AS backfill_row)`, hash(c, "backfill_k", "backfill_o"), absences("backfill_o", len(written)),
		named("backfill_k", quoted(c.Key)), named("backfill_o", columns(written)), judged, Table(c.Table), keys)
}

// deviates tells whether a row does not hold what it should; NULL: it is not in scope.
func deviates(bind *binder, c change.Change) string {
	differ := differs(bind, c)
	if c.Where == "" {
		return differ
	}
	return fmt.Sprintf("CASE WHEN %s\n  THEN %s END", bind.expression(c.Where, c.Params), differ) // see scope
}

// afterwards is what was seen, with what was written in place of what was there.
func afterwards(c change.Change) string {
	count := len(c.Columns())
	return fmt.Sprintf(`backfill_after AS MATERIALIZED (SELECT coalesce(sum(%s), 0) - coalesce(sum(%s), 0) AS digest, %s AS gone, %s AS come FROM backfill_changed),
backfill_looked AS MATERIALIZED (SELECT s.fitting, s.deviating, s.digest + a.digest AS digest,
  (SELECT array_agg(s.nulls[n] - a.gone[n] + a.come[n] ORDER BY n) FROM generate_subscripts(s.nulls, 1) AS n) AS nulls FROM backfill_seen AS s, backfill_after AS a)`,
		hash(c, "k", "n"), hash(c, "k", "o"), absences("o", count), absences("n", count))
}

// hash is a number for what a row holds under its key. The same value under another key has another, so their sum tells rows that have
// exchanged their values.
func hash(c change.Change, key, value string) string {
	written := c.Columns()
	seed := key + "1::bigint"
	if !integer(c.Key) {
		texts := numbered(key, len(c.Key))
		for i := range texts {
			texts[i] += "::text"
		}
		image := texts[0]
		if len(texts) > 1 {
			image = "ROW(" + strings.Join(texts, ", ") + ")::text"
		}
		seed = fmt.Sprintf(`hashtextextended((%s) COLLATE "C", 0)`, image)
	}
	return fmt.Sprintf(`coalesce(hashtextextended((%s) COLLATE "C", %s), hashint8extended(%s, 0))`, textImage(numbered(value, len(written)), written), seed, seed)
}

// absences counts the rows that have NULL in each of the columns.
func absences(prefix string, count int) string {
	each := numbered(prefix, count)
	for i, name := range each {
		each[i] = fmt.Sprintf("count(*) FILTER (WHERE %s IS NULL)", name)
	}
	return "ARRAY[" + strings.Join(each, ", ") + "]::bigint[]"
}
