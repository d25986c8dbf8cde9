package statement

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
	"backfill/internal/expression"
	"backfill/internal/keyset"
)

// copying inserts rows into another table, the target. The rows that are read are locked first: a user who has changed one is
// waited for, and the row read anew; one who comes later waits, and then finds the row in the target.
type copying struct{}

func (copying) form(c change.Change, _ int) Form {
	if !c.Undo {
		return Forget
	}
	return Locked
}

// plain reads and locks, which is what has to keep to the key: what is inserted follows from it.
func (copying) plain(bind *binder, c change.Change, keys string) string {
	if c.Where != "" {
		keys += fmt.Sprintf("\n  AND CASE WHEN %s THEN true END", bind.expression(c.Where, c.Params)) // see scope
	}
	return fmt.Sprintf("SELECT %s FROM %s\nWHERE %s\nORDER BY %s FOR NO KEY UPDATE",
		strings.Join(computed(bind, c), ", "), Table(c.Table), keys, strings.Join(quoted(c.Key), ", "))
}

func (k copying) apply(bind *binder, c change.Change, keys string, form Form) string {
	found := fmt.Sprintf("backfill_found AS MATERIALIZED (%s),\n", k.plain(bind, c, keys))
	if c.Copy.OnConflict == change.Update {
		return found + merge(bind, c)
	}
	unless, gives := "", "1"
	if c.Copy.OnConflict == change.Nothing {
		unless = "\nON CONFLICT DO NOTHING"
	}
	if form != Forget {
		gives = copied(c)
	}
	return fmt.Sprintf("%sbackfill_changed AS (%s\nFROM backfill_found%s\nRETURNING %s)", found, inserting(bind, c), unless, gives)
}

// computed lists what is written, each computed once, as backfill_n1 .. and of the expression's own type, so that the assignment casts
// it as any other. A lone string or NULL has no type before it is assigned, so it stays where it is.
func computed(bind *binder, c change.Change) (values []string) {
	for i, assignment := range c.Copy.Columns {
		if !untyped(assignment) {
			values = append(values, fmt.Sprintf("(%s) AS backfill_n%d", bind.expression(assignment.Expression, c.Params), i+1))
		}
	}
	return values
}

func untyped(assignment change.Assignment) bool {
	parsed, _ := expression.Parse(assignment.Expression)
	return parsed.Untyped()
}

// value is what the i-th column gets, in a query over backfill_found.
func value(bind *binder, c change.Change, i int) string {
	if assignment := c.Copy.Columns[i]; untyped(assignment) {
		return "(" + bind.expression(assignment.Expression, c.Params) + ")"
	}
	return fmt.Sprintf("backfill_n%d", i+1)
}

func inserting(bind *binder, c change.Change) string {
	names, values, overriding := make([]string, len(c.Copy.Columns)), make([]string, len(c.Copy.Columns)), ""
	for i, assignment := range c.Copy.Columns {
		names[i], values[i] = Quote(assignment.Column), value(bind, c, i)
	}
	if c.Copy.Overriding {
		overriding = " OVERRIDING SYSTEM VALUE"
	}
	return fmt.Sprintf("INSERT INTO %s (%s)%s\nSELECT %s", Table(c.Copy.Into), strings.Join(names, ", "), overriding, strings.Join(values, ", "))
}

// copied gives the key of a row that was written (k1 ..), and the whole of it (n1 ..).
func copied(c change.Change) string {
	target := Quote(c.Copy.Into.Name)
	return list(named("k", qualified(target, quoted(c.Copy.Key))), named("n", qualified(target, columns(c.Copy.Row))))
}

// merge writes the values of rows that are there as well. Those are locked first, so that undo has what is overwritten. A row
// that a user inserts meanwhile is not among them and would be overwritten unseen: it is left alone, and BF004 raised. Two rows of a
// batch for one row of the target are an error of those rows, so that smaller batches write one after the other.
func merge(bind *binder, c change.Change) string {
	table, target, key, written := Table(c.Copy.Into), Quote(c.Copy.Into.Name), quoted(c.Copy.Key), columns(c.Copy.Written())
	keys, same := targetKey(bind, c), make([]string, len(key))
	for i := range key {
		same[i] = fmt.Sprintf("backfill_target.%s = %s", key[i], keys[i])
	}
	sets := make([]string, len(written))
	for i, column := range written {
		sets[i] = column + " = excluded." + column
	}
	known := "(SELECT " + strings.Join(numbered("k", len(key)), ", ") + " FROM backfill_there)"
	gives := list(named("k", qualified(target, key)), named("n", qualified(target, merged(c))))
	return fmt.Sprintf(`backfill_there AS MATERIALIZED (SELECT %s FROM backfill_found
CROSS JOIN LATERAL (SELECT * FROM %s AS backfill_target WHERE %s OFFSET 0 FOR NO KEY UPDATE) AS backfill_target),
backfill_written AS (%s
FROM backfill_found WHERE (SELECT backfill.apart(count(*), count(DISTINCT ROW(%s))) FROM backfill_found)
ON CONFLICT (%s) DO UPDATE SET %s
WHERE %s IN %s
  AND ROW(%s)::record *<> ROW(%s)::record
RETURNING %s),
backfill_inserted AS (SELECT * FROM backfill_written WHERE %s NOT IN %s),
backfill_updated AS (%s),
backfill_changed AS (SELECT 1 FROM backfill_written UNION ALL SELECT 1 WHERE 0 > backfill.written(
  (SELECT count(*) FROM backfill_inserted), (SELECT count(*) FROM backfill_found) - (SELECT count(*) FROM backfill_there)))`,
		list(named("k", qualified("backfill_target", key)), named("o", qualified("backfill_target", written))), table, strings.Join(same, " AND "),
		inserting(bind, c), strings.Join(keys, ", "),
		strings.Join(key, ", "), strings.Join(sets, ", "),
		row(qualified(target, key)), known,
		strings.Join(qualified(target, written), ", "), strings.Join(qualified("excluded", written), ", "), gives,
		row(numbered("k", len(key))), known,
		outer("backfill_written", "backfill_there", "USING ("+strings.Join(numbered("k", len(key)), ", ")+")"))
}

// outer pairs the rows of two CTEs by a full join, which cannot be a nested loop: Postgres takes a list to be short, and would compare each
// row with each.
func outer(a, b, how string) string {
	return fmt.Sprintf("SELECT * FROM (SELECT *, true AS backfill_a FROM %s) AS a\nFULL JOIN (SELECT *, true AS backfill_b FROM %s) AS b %s\nWHERE coalesce(backfill_a AND backfill_b, false)",
		a, b, how)
}

// targetKey is the key that a row gets in the target, in a query over backfill_found.
func targetKey(bind *binder, c change.Change) []string {
	keys := make([]string, len(c.Copy.Key))
	for i, column := range c.Copy.Key {
		n := slices.IndexFunc(c.Copy.Columns, func(a change.Assignment) bool { return a.Column == column.Name })
		keys[i] = value(bind, c, n) + "::" + column.Type
		if collation := c.Copy.Collations[i]; collation != "" { // the row that is copied may have another
			keys[i] = "(" + keys[i] + " COLLATE " + collation + ")"
		}
	}
	return keys
}

// merged lists what is given of a row that was inserted or updated: all of it where undo keeps it, its written columns first.
func merged(c change.Change) []string {
	all := columns(c.Copy.Written())
	for _, name := range columns(c.Copy.Row) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// images: rows that were inserted are told by all of their columns, and rows that were updated by those that were written.
func (copying) images(_ *binder, c change.Change) []image {
	if c.Copy.OnConflict != change.Update {
		return []image{{from: "backfill_changed", marks: marks(numbered("n", len(c.Copy.Row)), c.Copy.Row)}}
	}
	all := merged(c)
	places := make([]string, len(c.Copy.Row))
	for i, name := range columns(c.Copy.Row) {
		places[i] = fmt.Sprintf("n%d", slices.Index(all, name)+1)
	}
	written := c.Columns()
	return []image{
		{from: "backfill_inserted", marks: marks(places, c.Copy.Row)},
		{from: "backfill_updated", olds: written, marks: marks(numbered("n", len(written)), written)},
	}
}

// olds: a row that was inserted was none before.
func (copying) olds(c change.Change, part int) []change.Column {
	if updated(c, part) {
		return c.Columns()
	}
	return nil
}

// updated tells whether a part of undo has rows that were updated: the second of its two images.
func updated(c change.Change, part int) bool {
	return c.Copy.OnConflict == change.Update && part%2 == 1
}

// restore deletes rows that are as they were inserted, and gives those that were updated their values back.
func (copying) restore(c change.Change, part int) restoring {
	if updated(c, part) {
		return giveBack(c.Copy.Into, c.Copy.Key, c.Columns())
	}
	return restoring{same: "r.n = i.n", absent: "r.n", cte: "backfill_restored AS (" + takeBack(c) + ")"}
}

// takeBack deletes the rows of the target that are as they were inserted.
func takeBack(c change.Change) string {
	target, key := Quote(c.Copy.Into.Name), quoted(c.Copy.Key)
	matches := make([]string, len(key))
	for i, name := range key {
		matches[i] = fmt.Sprintf("%s.%s = backfill_image.k%d", target, name, i+1)
	}
	return fmt.Sprintf("DELETE FROM %s USING backfill_image\nWHERE %s\n  AND %s = backfill_image.mark\nRETURNING backfill_image.n",
		Table(c.Copy.Into), strings.Join(matches, " AND "), mark(qualified(target, columns(c.Copy.Row)), c.Copy.Row))
}

// stepped tells whether the key of the target is that of the row that is copied, so that it lies within the range of the batch.
func stepped(c change.Change, within keyset.Range) bool {
	_, key := c.Written()
	if c.Copy != nil {
		same, _ := c.Copy.Value(key[0].Name)
		if len(key) != 1 || len(c.Key) != 1 || same.Expression != c.Key[0].Name && same.Expression != Quote(c.Key[0].Name) || !integer(c.Key) {
			return false
		}
	}
	return steppable(key, within)
}
