package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// Probe is the alias that is left in a plan of Matching where the definition's `where` is volatile: Postgres merges a
// subquery into the query around it unless one of its columns is.
const Probe = "backfill_probe"

// Shared counts the leading columns in which the ends of a range are equal, by the columns' own collations: what a Span
// is made from.
func Shared(c change.Change, r keyset.Range) Query {
	bind := &binder{}
	names := strings.Join(quoted(c.Key), ", ")
	end := strings.Join(bind.point(c.Key, r.Hi), ", ")
	return Query{SQL: fmt.Sprintf("SELECT %s FROM (SELECT %s FROM %s WHERE false UNION ALL SELECT %s) AS backfill_end",
		common(bind, c.Key, r.Lo), names, Table(c.Table), end), Args: bind.args}
}

// Matching tells for each of the ranges that a span consists of, in their order, whether a row of it may match the
// definition's `where`: true also where that many rows (most) had matched before the range was reached, so that a stretch
// where many match costs no more than that. `where` is written openly, not in a CASE as in Update, so that Postgres may
// use an index on it. Not for a change without `where`.
func Matching(c change.Change, span Span, ranges []keyset.Range, most int64) Query {
	bind := &binder{}
	key := numbered("k", len(c.Key))
	limit := bind.value(most, "bigint")
	parts := split(span)
	listed := make([]string, len(parts))
	for i, part := range parts {
		keys := bind.stretch(c.Key, part)
		listed[i] = fmt.Sprintf("SELECT %s FROM (SELECT %s, (%s) AS matches FROM %s\nWHERE %s) AS %s\nWHERE matches ORDER BY %s LIMIT %s",
			strings.Join(key, ", "), named("k", quoted(c.Key)), bind.expression(c.Where, c.Params), Table(c.Table), keys, Probe,
			strings.Join(key, ", "), limit)
	}
	list := listed[0]
	if len(parts) > 1 { // each in its own order, so that an index gives it
		list = fmt.Sprintf("SELECT %s FROM ((%s)) AS parts ORDER BY %s LIMIT %s", strings.Join(key, ", "),
			strings.Join(listed, ")\nUNION ALL (\n"), strings.Join(key, ", "), limit)
	}
	may := make([]string, len(ranges))
	for i, r := range ranges {
		end := row(bind.point(c.Key, r.Hi))
		from := ""
		if r.Lo != nil {
			from = fmt.Sprintf(" AND %s > %s", row(key), row(bind.point(c.Key, r.Lo)))
		}
		may[i] = fmt.Sprintf("EXISTS (SELECT FROM backfill_matching WHERE %[1]s <= %[2]s%[3]s)\n"+
			"  OR (SELECT cut FROM backfill_full) AND NOT EXISTS (SELECT FROM backfill_matching WHERE %[1]s > %[2]s)", row(key), end, from)
	}
	return Query{SQL: fmt.Sprintf("WITH backfill_matching AS MATERIALIZED (%s),\n"+
		"backfill_full AS MATERIALIZED (SELECT count(*) >= %s AS cut FROM backfill_matching)\nSELECT ARRAY[%s]",
		list, limit, strings.Join(may, ",\n")), Args: bind.args}
}
