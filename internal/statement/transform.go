package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// transformed updates rows in place, as set does, by values that a function has computed of values that were read before. A row is
// written only where it is the version that was read: its xmin tells, since each transaction that changes a row makes a version of its own.
type transformed struct{ set }

// computedElsewhere stands where a kind applies an expression: there is none.
const computedElsewhere = "a transform is written by Write"

func (transformed) apply(*binder, change.Change, string, Form) string { return computedElsewhere }

// plain reads the rows: it is what is done to a range of keys.
func (transformed) plain(bind *binder, c change.Change, keys string) string {
	return fmt.Sprintf("SELECT %s FROM %s\nWHERE %s", list(strings.Join(quoted(c.Key), ", "), strings.Join(columns(c.Function.Reads), ", ")),
		Table(c.Table), scoped(bind, c, keys))
}

func scoped(bind *binder, c change.Change, condition string) string {
	if c.Where == "" {
		return condition
	}
	return fmt.Sprintf("%s\n  AND CASE WHEN %s THEN true END", condition, bind.expression(c.Where, c.Params)) // see scope
}

// Read reads the rows of at most so many keys above from, up to and including hi, in order (a bare name would order by the text): the
// key, whether the row is in scope, its version, its place, and what the function reads, all as text. The limit, not hi, ends the walk (see split); nothing is computed of a row beyond hi.
func Read(c change.Change, from, hi keyset.Point, limit int64) Query {
	bind := &binder{}
	names, above := quoted(c.Key), ""
	if from != nil {
		above = fmt.Sprintf(" WHERE %s > %s", row(names), row(bind.point(c.Key, from)))
	}
	within := fmt.Sprintf("CASE WHEN %s <= %s THEN %s END", row(names), row(bind.point(c.Key, hi)), inScope(bind, c))
	walk := fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT %s",
		list(named("backfill_k", names), named("backfill_r", columns(c.Function.Reads)), within+" AS backfill_in", version),
		Table(c.Table), above, strings.Join(qualified(Quote(c.Table.Name), names), ", "), bind.value(limit, "bigint"))
	return Query{SQL: fmt.Sprintf("SELECT %s FROM (%s) AS backfill_walked\nWHERE backfill_in IS NOT NULL ORDER BY %s", given(c), walk,
		strings.Join(qualified("backfill_walked", numbered("backfill_k", len(names))), ", ")), Args: bind.args}
}

// ReadListed is Read for rows of those keys, in their order. A key that has no row any more is given with NULL for whether it is in scope.
func ReadListed(c change.Change, keys []keyset.Point) Query {
	bind := &binder{}
	lists := make([]string, len(c.Key))
	for i, texts := range transposed(keys, len(c.Key)) {
		lists[i] = bind.value(texts, "text[]")
	}
	source := fmt.Sprintf("unnest(%s) WITH ORDINALITY AS backfill_list (%s, backfill_n)", strings.Join(lists, ", "), strings.Join(numbered("backfill_k", len(c.Key)), ", "))
	return Query{SQL: looked(bind, c, source), Args: bind.args}
}

// ReadStripe is ReadListed for the keys that a batch takes of a stripe.
func ReadStripe(c change.Change, s Stripe) Query {
	bind := &binder{}
	from, to := bind.value(s.Done, "bigint"), bind.value(s.Done+s.Take, "bigint")
	lists := []string{fmt.Sprintf("s.ids[%s + 1:%s]", from, to)}
	if !integer(c.Key) {
		lists = make([]string, len(c.Key))
		for i := range lists {
			lists[i] = fmt.Sprintf("s.keys[%d * s.rows + 1 + %s:%d * s.rows + %s]", i, from, i, to)
		}
	}
	source := fmt.Sprintf("(SELECT s.* FROM backfill.stripes AS s WHERE s.run = %s AND s.chunk = %s AND s.part = %s) AS s,\n"+
		"unnest(%s) WITH ORDINALITY AS backfill_list (%s, backfill_n)", bind.value(s.Run, "text"), bind.value(s.Chunk, "bigint"), bind.value(s.Part, "integer"),
		strings.Join(lists, ", "), strings.Join(numbered("backfill_k", len(c.Key)), ", "))
	return Query{SQL: looked(bind, c, source), Args: bind.args}
}

// looked looks up the row of each key of a list by the index. OFFSET 0 keeps the planner from joining in another way.
func looked(bind *binder, c change.Change, source string) string {
	matches := make([]string, len(c.Key))
	for i, name := range qualified(Quote(c.Table.Name), quoted(c.Key)) {
		matches[i] = fmt.Sprintf("%s = backfill_k%d::%s", name, i+1, c.Key[i].Type)
	}
	return fmt.Sprintf("SELECT %s FROM %s\nLEFT JOIN LATERAL (SELECT %s FROM %s WHERE %s OFFSET 0) AS backfill_row ON true ORDER BY backfill_n", given(c), source,
		list(named("backfill_r", columns(c.Function.Reads)), inScope(bind, c)+" AS backfill_in", version), Table(c.Table), strings.Join(matches, " AND "))
}

// version tells one state of a row from those before and after, and where it lies.
const version = "xmin AS backfill_x, ctid AS backfill_t"

// inScope is never NULL.
func inScope(bind *binder, c change.Change) string {
	if c.Where == "" {
		return "true"
	}
	return fmt.Sprintf("CASE WHEN %s THEN true ELSE false END", bind.expression(c.Where, c.Params))
}

// given prints what a read gives: values only of rows in scope.
func given(c change.Change) string {
	reads := make([]string, len(c.Function.Reads))
	for i, column := range c.Function.Reads {
		reads[i] = fmt.Sprintf("CASE WHEN backfill_in THEN %s END", textOf(fmt.Sprintf("backfill_r%d", i+1), column.Base))
	}
	return list(strings.Join(textsOf("backfill_k", len(c.Key)), ", "), "backfill_in::text, backfill_x::text, backfill_t::text", strings.Join(reads, ", "))
}
