package statement

import (
	"fmt"
	"slices"
	"strconv"
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

// Computed are rows with the version that was read of each and its place, and what is to be written. Values are text; nil is NULL.
type Computed struct {
	Keys     []keyset.Point
	Versions []string
	Places   []string
	Writes   [][]*string
}

// Write writes what was computed to the rows that are as they were read, in scope, and do not hold it already, as the CTEs of
// Apply. backfill_found has one more row than backfill_changed for each row that was changed meanwhile: in every form, as nothing of the
// batch may be committed then.
func Write(c change.Change, computed Computed, form Form) Query {
	bind := &binder{}
	w := writing{table: Table(c.Table), target: Quote(c.Table.Name), key: quoted(c.Key), written: columns(c.Function.Writes)}
	cte := w.given(bind, c, computed)
	for i, name := range qualified(w.target, w.key) {
		w.matches = append(w.matches, fmt.Sprintf("%s = backfill_k%d", name, i+1))
	}
	w.sets = assigning(w.written)
	w.fresh, w.differs = w.target+".xmin = backfill_x", differing(w.target, c.Function.Writes)
	open := fmt.Sprintf("CASE WHEN %s THEN NOT (%s) OR %s END", inScope(bind, c), w.fresh, w.differs)
	switch form {
	case Compared, Locked:
		return Query{SQL: cte + w.found(open, form), Args: bind.args}
	default:
		return Query{SQL: cte + w.direct(bind, c, open, form, len(computed.Keys)), Args: bind.args}
	}
}

// writing is what the forms of Write have in common.
type writing struct {
	table, target, sets   string
	key, written, matches []string
	fresh, differs        string
}

// given lists the rows. Values for texts stay text, so that one that is too long is refused and not cut.
func (w writing) given(bind *binder, c change.Change, computed Computed) string {
	var lists, casts, names []string
	add := func(values any, of, name, cast string) {
		lists, names = append(lists, bind.value(values, of+"[]")), append(names, name)
		casts = append(casts, fmt.Sprintf("%s::%s AS %s", name, cast, name))
	}
	if numbers, ok := numbersOf(c.Key, computed.Keys); ok {
		add(numbers, "bigint", "backfill_k1", c.Key[0].Type)
	} else {
		for i, texts := range transposed(computed.Keys, len(c.Key)) {
			add(texts, "text", fmt.Sprintf("backfill_k%d", i+1), c.Key[i].Type)
		}
	}
	add(computed.Versions, "text", "backfill_x", "xid")
	if !c.Partitioned { // a place is one of a partition
		add(computed.Places, "text", "backfill_t", "tid")
	}
	for i, texts := range transposed(computed.Writes, len(c.Function.Writes)) {
		cast := c.Function.Writes[i].Type
		if textual(c.Function.Writes[i]) {
			cast = "text"
		}
		add(texts, "text", fmt.Sprintf("backfill_n%d", i+1), cast)
	}
	return fmt.Sprintf("backfill_given AS MATERIALIZED (SELECT %s\nFROM unnest(%s) AS backfill_list (%s)),\n",
		strings.Join(casts, ", "), strings.Join(lists, ", "), strings.Join(names, ", "))
}

// numbersOf are the keys, where each is one integer.
func numbersOf(key []keyset.Column, keys []keyset.Point) (numbers []int64, ok bool) {
	if !integer(key) {
		return nil, false
	}
	numbers = make([]int64, len(keys))
	for i, point := range keys {
		n, err := strconv.ParseInt(point[0], 10, 64)
		if err != nil {
			return nil, false
		}
		numbers[i] = n
	}
	return numbers, true
}

// direct is the form where an UPDATE gives what it overwrote, or nobody asks for it. A row is looked for where it lay: that saves a walk down the
// index. Which rows were changed meanwhile is looked up, by the key, only where fewer were written than were given.
func (w writing) direct(bind *binder, c change.Change, open string, form Form, rows int) string {
	gives := "1"
	if form == Returning {
		gives = fmt.Sprintf("WITH (OLD AS backfill_old, NEW AS backfill_new) %s, %s, %s", named("k", qualified(w.target, w.key)),
			named("o", qualified("backfill_old", w.written)), named("n", qualified("backfill_new", w.written)))
	}
	all, matches := bind.value(rows, "bigint"), strings.Join(w.matches, " AND ")
	there, fresh := matches, w.fresh
	if !c.Partitioned {
		there, fresh = w.target+".ctid = backfill_t", matches+" AND "+w.fresh
	}
	return fmt.Sprintf(`backfill_changed AS (UPDATE %s SET %s FROM backfill_given
WHERE %s AND CASE WHEN %s THEN CASE WHEN %s THEN %s END END
RETURNING %s),
backfill_found AS (SELECT FROM backfill_given WHERE (SELECT count(*) FROM backfill_changed) = %s
UNION ALL SELECT FROM backfill_given, %s WHERE (SELECT count(*) FROM backfill_changed) < %s
  AND %s AND %s)`,
		w.table, w.sets, there, fresh, inScope(bind, c), w.differs, gives, all, w.table, all, matches, open)
}

// found is the form where an UPDATE does not give what it overwrote: the rows are found first, and their ctid tells, or a lock, that they are the same.
func (w writing) found(open string, form Form) string {
	same, place, lock := strings.Join(w.matches, " AND "), "", fmt.Sprintf("\nORDER BY %s FOR NO KEY UPDATE OF %s", strings.Join(numbered("backfill_k", len(w.key)), ", "), w.target)
	if form == Compared {
		place, lock = fmt.Sprintf("%[1]s.ctid AS backfill_ctid, %[1]s.xmin AS backfill_xmin, ", w.target), ""
		same = fmt.Sprintf("%[1]s.ctid = backfill_ctid AND %[1]s.xmin = backfill_xmin", w.target)
	}
	return fmt.Sprintf(`backfill_found AS MATERIALIZED (SELECT %sbackfill_given.*, %s AS backfill_fresh, %s
FROM backfill_given, %s
WHERE %s AND %s%s),
backfill_changed AS (UPDATE %s SET %s FROM backfill_found
WHERE %s AND backfill_fresh
RETURNING %s, %s, %s)`,
		place, w.fresh, named("backfill_o", qualified(w.target, w.written)), w.table, strings.Join(w.matches, " AND "), open, lock,
		w.table, w.sets, same, renamed("k", len(w.key)), renamed("o", len(w.written)), named("n", qualified(w.target, w.written)))
}

// assigning sets each column to its value.
func assigning(written []string) string {
	sets := make([]string, len(written))
	for i, name := range written {
		sets[i] = fmt.Sprintf("%s = backfill_n%d", name, i+1)
	}
	return strings.Join(sets, ", ")
}

// differing compares what is stored with what would be written. Texts are compared as text: a cast would cut what is too long.
func differing(target string, written []change.Column) string {
	stored, values := qualified(target, columns(written)), numbered("backfill_n", len(written))
	for i, column := range written {
		switch {
		case column.Type == "bpchar":
			stored[i] = textOf(stored[i], column.Type)
		case column.Base == "character": // blanks at the end are no part of it
			stored[i], values[i] = stored[i]+"::text", "rtrim("+values[i]+", ' ')"
		case textual(column):
			stored[i] += "::text"
		}
	}
	return fmt.Sprintf("ROW(%s)::record *<> ROW(%s)::record", strings.Join(stored, ", "), strings.Join(values, ", "))
}

func textual(column change.Column) bool {
	return slices.Contains([]string{"text", "character varying", "character", "bpchar", "name"}, column.Base)
}

// transposed makes a list for each column of a list of rows.
func transposed[T any, R ~[]T](rows []R, width int) [][]T {
	lists := make([][]T, width)
	for i := range lists {
		lists[i] = make([]T, len(rows))
		for j, row := range rows {
			lists[i][j] = row[i]
		}
	}
	return lists
}
