package statement

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// set updates rows in place. Rows that already hold the values are not written; sameness is of the stored image (see unlike), so
// that values which citext, json or a nondeterministic collation call equal count as different.
type set struct{}

func (set) form(c change.Change, major int) Form {
	switch {
	case !c.Undo:
		return Forget
	case major >= 18:
		return Returning
	case c.Partitioned:
		return Locked
	}
	return Compared
}

func (set) images(_ *binder, c change.Change) []image {
	return []image{{from: "backfill_changed", olds: c.Columns(), marks: marks(numbered("n", len(c.Columns())), c.Columns())}}
}

func (set) olds(c change.Change, _ int) []change.Column { return c.Columns() }

func (set) apply(bind *binder, c change.Change, keys string, form Form) string {
	if form == Compared {
		return compared(bind, c, keys)
	}
	table, scope, set := Table(c.Table), bind.scope(c, keys), bind.assignments(c)
	key, written := quoted(c.Key), columns(c.Columns())
	target := Quote(c.Table.Name)
	switch form {
	case Returning:
		return fmt.Sprintf("backfill_changed AS (UPDATE %s SET %s\nWHERE %s\nRETURNING WITH (OLD AS backfill_old, NEW AS backfill_new) %s, %s, %s)",
			table, set, scope,
			named("k", qualified(target, key)), named("o", qualified("backfill_old", written)), named("n", qualified("backfill_new", written)))
	case Locked:
		return fmt.Sprintf("backfill_found AS MATERIALIZED (SELECT %s, %s FROM %s\nWHERE %s\nORDER BY %s FOR NO KEY UPDATE),\n"+
			"backfill_changed AS (UPDATE %s SET %s FROM backfill_found\nWHERE %s\nRETURNING %s, %s, %s)",
			named("backfill_k", key), named("backfill_o", written), table, scope, strings.Join(key, ", "), table, set,
			matched(target, key), renamed("k", len(key)), renamed("o", len(written)), named("n", qualified(target, written)))
	default:
		return "backfill_changed AS (" + updating(bind, c, scope) + "\nRETURNING 1)"
	}
}

func (set) plain(bind *binder, c change.Change, keys string) string {
	return updating(bind, c, bind.scope(c, keys))
}

func (set) restore(c change.Change, _ int) restoring { return giveBack(c.Table, c.Key, c.Columns()) }

// giveBack updates the rows that still hold what was written, by its mark.
func giveBack(table change.Table, by []keyset.Column, overwritten []change.Column) restoring {
	target, key, written := Quote(table.Name), quoted(by), columns(overwritten)
	sets, matches := make([]string, len(written)), make([]string, len(key))
	for i, column := range written {
		sets[i] = fmt.Sprintf("%s = backfill_image.o%d::%s", column, i+1, overwritten[i].Type)
	}
	for i, name := range key {
		matches[i] = fmt.Sprintf("%s.%s = backfill_image.k%d", target, name, i+1)
	}
	return restoring{same: "r.n = i.n", absent: "r.n",
		cte: fmt.Sprintf("backfill_restored AS (UPDATE %s SET %s FROM backfill_image\nWHERE %s\n  AND %s = backfill_image.mark\nRETURNING backfill_image.n)",
			Table(table), strings.Join(sets, ", "), strings.Join(matches, " AND "), mark(qualified(target, written), overwritten))}
}

// scope is the condition for the rows that are written: of those keys, in the definition's scope, and not right already.
func (b *binder) scope(c change.Change, keys string) string {
	if c.Where == "" && c.Volatile {
		return keys
	}
	if c.Where == "" {
		return keys + "\n  AND " + differs(b, c)
	}
	// CASE keeps the plan on the key's index: a partial index on the predicate would be read whole by every batch. It also
	// keeps expressions from rows that are not in scope: of two conditions side by side Postgres takes the cheaper one first.
	where, written := b.expression(c.Where, c.Params), "true"
	if !c.Volatile {
		written = differs(b, c)
	}
	return fmt.Sprintf("%s\n  AND CASE WHEN %s\n  THEN %s END", keys, where, written)
}

func updating(bind *binder, c change.Change, scope string) string {
	return fmt.Sprintf("UPDATE %s SET %s\nWHERE %s", Table(c.Table), bind.assignments(c), scope)
}

func (b *binder) assignments(c change.Change) string {
	sets := make([]string, len(c.Set))
	for i, assignment := range c.Set {
		sets[i] = Quote(assignment.Column) + " = (" + b.expression(assignment.Expression, c.Params) + ")"
	}
	return strings.Join(sets, ", ")
}

// columns quotes names.
func columns(columns []change.Column) []string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = Quote(column.Name)
	}
	return names
}

// list joins the lists that are not empty.
func list(lists ...string) string {
	return strings.Join(slices.DeleteFunc(lists, func(s string) bool { return s == "" }), ", ")
}

func qualified(relation string, names []string) []string { return prefixed(relation+".", names) }

// named gives expressions the names prefix1, prefix2 ...
func named(prefix string, expressions []string) string {
	all := make([]string, len(expressions))
	for i, expression := range expressions {
		all[i] = fmt.Sprintf("%s AS %s%d", expression, prefix, i+1)
	}
	return strings.Join(all, ", ")
}

// renamed takes the prefix off what found has.
func renamed(prefix string, count int) string {
	return named(prefix, numbered("backfill_"+prefix, count))
}

// matched compares the table's key with that of found.
func matched(target string, key []string) string {
	all := make([]string, len(key))
	for i, name := range key {
		all[i] = fmt.Sprintf("%s.%s = backfill_k%d", target, name, i+1)
	}
	return strings.Join(all, " AND ")
}

// differs compares what is stored with what would be written.
func differs(bind *binder, c change.Change) string {
	stored := make([]string, len(c.Set))
	written := make([]string, len(c.Set))
	for i, assignment := range c.Set {
		stored[i] = Quote(assignment.Column)
		written[i] = fmt.Sprintf("(%s)::%s", bind.expression(assignment.Expression, c.Params), assignment.Type)
	}
	return unlike(stored, written, c.Columns())
}
