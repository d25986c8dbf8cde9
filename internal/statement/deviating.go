package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// mostListed is how many keys a listing gives. Who wants more begins the next behind the last.
const mostListed = 100

// valued has the settings of a batch by which an expression may give another value, or text be read as another (see backfill.advance). The path in
// which names are looked for is that of the role that has run the change.
const valued = `BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
SET LOCAL search_path = %s;
%s;
ROLLBACK;
`

// Deviating is a script for a person, to be run by psql: it lists the keys of the rows of a range that deviate now, by the comparison of Look. A change
// is verified by value, or it has none. Rows that the run has rejected are left out: the expression of one may fail, which would end the script.
func Deviating(c change.Change, within keyset.Range, rejected []keyset.Point, path []string) string {
	bind := &binder{literally: true}
	keys := bind.reach(c.Key, within)
	if len(rejected) > 0 {
		keys += fmt.Sprintf("\n  AND %s NOT IN (%s)", row(quoted(c.Key)), strings.Join(bind.points(c.Key, rejected), ", "))
	}
	names := strings.Join(quoted(c.Key), ", ")
	return script(path, fmt.Sprintf("SET LOCAL enable_seqscan = off;\nSELECT %s FROM (SELECT %[1]s, %s AS backfill_deviates\nFROM %s\nWHERE %s OFFSET 0) AS backfill_row\nWHERE backfill_deviates ORDER BY %[1]s LIMIT %[5]d",
		names, deviates(bind, c), Table(c.Table), keys, mostListed))
}

// Remaining is a script for a person as well: it lists the keys of rows up to the bound that are in scope still, of which Left asks whether there is one.
func Remaining(c change.Change, bound keyset.Point, path []string) string {
	bind := &binder{literally: true}
	names := strings.Join(quoted(c.Key), ", ")
	return script(path, fmt.Sprintf("SELECT %s FROM (SELECT %[1]s FROM %s\nWHERE %s\n  AND (%s) LIMIT %d) AS backfill_left ORDER BY %[1]s",
		names, Table(c.Table), bind.reach(c.Key, keyset.Range{Hi: bound}), bind.expression(c.Where, c.Params), mostListed))
}

func script(path []string, query string) string {
	names := "''"
	if len(path) > 0 {
		quoted := make([]string, len(path))
		for i, schema := range path {
			quoted[i] = Quote(schema)
		}
		names = strings.Join(quoted, ", ")
	}
	return fmt.Sprintf(valued, names, query)
}

// reach is the condition for a range as one comparison of rows. Columns in which both ends have the same text are fixed, so that up to Postgres 17
// as well an index is not read far beyond it (see split): equal texts are equal keys, and where equal keys have other texts it is only read for longer.
func (b *binder) reach(key []keyset.Column, r keyset.Range) string {
	fixed := 0
	for r.Lo != nil && fixed < len(key)-1 && r.Lo[fixed] == r.Hi[fixed] {
		fixed++
	}
	var terms []string
	for i := range fixed {
		terms = append(terms, b.compare(key[i], "=", r.Hi[i]))
	}
	names := row(quoted(key[fixed:]))
	if r.Lo != nil {
		terms = append(terms, names+" > "+row(b.point(key[fixed:], r.Lo[fixed:])))
	}
	return strings.Join(append(terms, names+" <= "+row(b.point(key[fixed:], r.Hi[fixed:]))), " AND ")
}

func (b *binder) points(key []keyset.Column, points []keyset.Point) []string {
	rows := make([]string, len(points))
	for i, point := range points {
		rows[i] = row(b.point(key, point))
	}
	return rows
}
