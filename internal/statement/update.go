package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// Form is how an update gives what it overwrites.
type Form int

// The forms. Which are right while users write the same rows, and what they cost: docs/architecture.md.
const (
	// Forget gives nothing: undo is off.
	Forget Form = iota
	// Returning asks RETURNING for old and new (Postgres 18).
	Returning
	// Compared joins the rows that were found by ctid, and leaves alone those that users changed meanwhile: fewer are
	// changed than found. Not for partitioned tables.
	Compared
	// Locked locks the rows before it reads them.
	Locked
)

// Update builds the statements that apply a change of kind set to a span, one for each stretch of the index (see
// split). Each is a list of CTEs: backfill_changed has a row for each row it wrote, with the key (k1 ..), what was there
// (o1 ..) and what is there now (n1 ..) unless the form is Forget; backfill_found has the rows that were to be written, in the
// forms Compared and Locked. Rows that already hold the values are not written; sameness is of the stored image
// (*<>), so that citext, json and nondeterministic collations count as different.
func Update(c change.Change, span Span, form Form) []Query {
	parts := split(span)
	queries := make([]Query, len(parts))
	for i, part := range parts {
		bind := &binder{}
		queries[i] = Query{SQL: update(bind, c, bind.stretch(c.Key, part), form), Args: bind.args}
	}
	return queries
}

// Plain builds the statements of Update by themselves, for a look at their plans.
func Plain(c change.Change, span Span) []Query {
	parts := split(span)
	queries := make([]Query, len(parts))
	for i, part := range parts {
		bind := &binder{}
		scope := bind.scope(c, bind.stretch(c.Key, part))
		queries[i] = Query{SQL: plain(bind, c, scope), Args: bind.args}
	}
	return queries
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

func plain(bind *binder, c change.Change, scope string) string {
	return fmt.Sprintf("UPDATE %s SET %s\nWHERE %s", Table(c.Table), bind.assignments(c), scope)
}

func (b *binder) assignments(c change.Change) string {
	sets := make([]string, len(c.Set))
	for i, assignment := range c.Set {
		sets[i] = Quote(assignment.Column) + " = (" + b.expression(assignment.Expression, c.Params) + ")"
	}
	return strings.Join(sets, ", ")
}

func update(bind *binder, c change.Change, keys string, form Form) string {
	if form == Compared {
		return compared(bind, c, keys)
	}
	table, scope, set := Table(c.Table), bind.scope(c, keys), bind.assignments(c)
	key, written := quoted(c.Key), columns(c.Set)
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
		return "backfill_changed AS (" + plain(bind, c, scope) + "\nRETURNING 1)"
	}
}

// columns quotes the names of the columns that are written.
func columns(set []change.Assignment) []string {
	names := make([]string, len(set))
	for i, assignment := range set {
		names[i] = Quote(assignment.Column)
	}
	return names
}

func qualified(relation string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = relation + "." + name
	}
	return all
}

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
	return fmt.Sprintf("ROW(%s)::record *<> ROW(%s)::record", strings.Join(stored, ", "), strings.Join(written, ", "))
}
