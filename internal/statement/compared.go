package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// compared builds the form Compared: found, and the update of what it found.
func compared(bind *binder, c change.Change, keys string) string {
	found := found(bind, c, keys)
	update, gives := rewriting(bind, c, keys)
	return fmt.Sprintf("%s,\nbackfill_changed AS (%s\nRETURNING %s)", found, update, gives)
}

// found builds backfill_found. Each expression is computed once a row: it has what would be written as well
// (backfill_n1 ..), of the expression's own type, so that the assignment casts it as any other. A lone string or NULL has no
// type before it is assigned, so it stays where it is. OFFSET 0 keeps the planner from merging the two levels, which would
// compute the rest twice.
func found(bind *binder, c change.Change, keys string) string {
	var values, casts []string
	for i, assignment := range c.Set {
		value := "(" + bind.expression(assignment.Expression, c.Params) + ")"
		if !untyped(assignment) {
			name := fmt.Sprintf("backfill_n%d", i+1)
			values, value = append(values, ", "+value+" AS "+name), name
		}
		casts = append(casts, value+"::"+assignment.Type)
	}
	if conditions := within(bind, c); conditions != "" {
		keys += fmt.Sprintf("\n  AND CASE WHEN %s THEN true END", conditions) // see scope
	}
	differs := unlike(numbered("backfill_o", len(c.Set)), casts, c.Columns())
	if c.Join != nil {
		values, differs = append(values, pairs(bind, c)), "backfill_pairs > 1 OR "+differs
	}
	found := fmt.Sprintf("SELECT %sctid AS backfill_ctid, %[1]sxmin AS backfill_xmin, %s, %s%s FROM %s\nWHERE %s", bind.target,
		named("backfill_k", prefixed(bind.target, quoted(c.Key))), named("backfill_o", prefixed(bind.target, columns(c.Columns()))),
		strings.Join(values, ""), source(bind, c), keys)
	if !c.Volatile {
		found = fmt.Sprintf("SELECT * FROM (%s OFFSET 0) AS backfill_read\nWHERE %s", found, differs)
	}
	return "backfill_found AS MATERIALIZED (" + found + ")"
}

// rewriting is the update of the rows of backfill_found that nobody has changed since, and what it gives. The names of found must be
// none of the table's: an assignment is resolved beside it. In a partitioned table a row is found by its key, within the
// keys of the batch: a ctid is that of a partition.
func rewriting(bind *binder, c change.Change, keys string) (update, gives string) {
	sets := make([]string, len(c.Set))
	for i, assignment := range c.Set {
		value := fmt.Sprintf("backfill_found.backfill_n%d", i+1)
		if untyped(assignment) {
			value = "(" + bind.expression(assignment.Expression, c.Params) + ")"
		}
		sets[i] = Quote(assignment.Column) + " = " + value
	}
	key, written, target := quoted(c.Key), columns(c.Columns()), Quote(c.Table.Name)
	place := target + ".ctid = backfill_ctid"
	if c.Partitioned {
		place = keys + "\n  AND " + matched(target, key)
	}
	update = fmt.Sprintf("UPDATE %s SET %s FROM backfill_found\nWHERE %s AND %s.xmin = backfill_xmin", Table(c.Table), strings.Join(sets, ", "), place, target)
	if c.Join != nil && !c.Undo {
		return update, "1"
	}
	return update, list(renamed("k", len(key)), renamed("o", len(written)), named("n", qualified(target, written)))
}

func prefixed(prefix string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = prefix + name
	}
	return all
}
