package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// joined updates rows in place, from rows of other tables. It finds and writes in one statement, so by one snapshot of all
// tables, and writes a row only where nobody has changed it since: what was read of the other tables is then never older than the
// row. So it has the form Compared on every version, without undo as well. A row that belongs to several rows of the other
// tables is in backfill_found as often, with their number (backfill_pairs), also where one of them would change nothing. Then
// fewer rows are changed than found, and none of them may be: Postgres would take any.
type joined struct{ set }

func (joined) form(change.Change, int) Form { return Compared }

// apply is that of Compared also in the form Locked: before it Lock has locked the rows.
func (joined) apply(bind *binder, c change.Change, keys string, _ Form) string {
	return compared(bind, c, keys)
}

func (joined) plain(bind *binder, c change.Change, keys string) string {
	found := found(bind, c, keys)
	update, _ := rewriting(bind, c, keys)
	return "WITH " + found + "\n" + update
}

// Lock builds the statements that come before those of Apply in the form Locked: they lock the rows of a span, so that no
// user changes them any more between the snapshot of what follows and its update. Of a change that reads one table there are none.
func Lock(c change.Change, span Span, form Form) []Query {
	if !locks(c, form) {
		return nil
	}
	return each(c, span, func(_ *binder, keys string) string { return lock(c, keys) })
}

// LockStripe is Lock for what a batch takes of a stripe.
func LockStripe(c change.Change, s Stripe, form Form) []Query {
	if !locks(c, form) {
		return nil
	}
	bind := binding(c)
	return []Query{{SQL: lock(c, bind.listed(c, s)), Args: bind.args}}
}

// LockOne is Lock for one row.
func LockOne(c change.Change, row keyset.Point, form Form) []Query {
	if !locks(c, form) {
		return nil
	}
	bind := binding(c)
	return []Query{{SQL: lock(c, bind.single(c.Key, row)), Args: bind.args}}
}

func locks(c change.Change, form Form) bool { return form == Locked && c.Join != nil }

func lock(c change.Change, keys string) string {
	target := Quote(c.Table.Name)
	return fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s WHERE %s\nORDER BY %s FOR NO KEY UPDATE) AS backfill_locked",
		Table(c.Table), keys, strings.Join(qualified(target, quoted(c.Key)), ", "))
}

// source is what compared reads: the table, and the tables that are joined to it. The join is an outer one, also where rows
// that find none are left alone (see matches): then Postgres has to begin with the table, by its key, and never with another.
func source(bind *binder, c change.Change) string {
	table := Table(c.Table)
	if c.Join == nil {
		return table
	}
	others := make([]string, len(c.Join.From))
	for i, from := range c.Join.From {
		others[i] = Table(from.Table) + " AS " + Quote(from.Alias)
	}
	list := strings.Join(others, " CROSS JOIN ")
	if len(others) > 1 {
		list = "(" + list + ")"
	}
	return fmt.Sprintf("%s LEFT JOIN %s ON (%s)", table, list, bind.expression(c.Join.On, c.Params))
}

// matches is the condition that a row has found others, in a form from which Postgres draws no conclusion.
func matches(c change.Change) string {
	if c.Join == nil || c.Join.Unmatched {
		return ""
	}
	return Quote(c.Join.From[0].Alias) + ".tableoid IS NOT NULL"
}

// pairs counts how often a row is found.
func pairs(bind *binder, c change.Change) string {
	partition := ""
	if c.Partitioned {
		partition = bind.target + "tableoid, "
	}
	return fmt.Sprintf(", count(*) OVER (PARTITION BY %s%sctid) AS backfill_pairs", partition, bind.target)
}
