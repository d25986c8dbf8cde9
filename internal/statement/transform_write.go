package statement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// Computed are rows with the version that was read of each and its place, and what is to be written. Values are text; nil is NULL.
type Computed struct {
	Keys     []keyset.Point
	Versions []string
	Places   []string
	Writes   [][]*string
	Held     bool // Hold has locked the rows in the same transaction
}

// Hold locks the rows of those keys, in the order in which they are given: what comes behind it in its transaction sees them as they are, and nobody changes
// them meanwhile.
func Hold(c change.Change, keys []keyset.Point) Query {
	bind := &binder{}
	var lists, matches []string
	stored, given := qualified(Quote(c.Table.Name), quoted(c.Key)), numbered("backfill_k", len(c.Key))
	for i, values := range keyed(c.Key, keys) {
		lists = append(lists, bind.value(values.of, values.sqlType))
		matches = append(matches, fmt.Sprintf("%s = %s::%s", stored[i], given[i], c.Key[i].Type))
	}
	return Query{SQL: fmt.Sprintf("SELECT count(*) FROM (SELECT FROM unnest(%s) WITH ORDINALITY AS backfill_list (%s, backfill_n), %s\n"+
		"WHERE %s ORDER BY backfill_n FOR NO KEY UPDATE OF %s) AS backfill_held",
		strings.Join(lists, ", "), strings.Join(given, ", "), Table(c.Table), strings.Join(matches, " AND "), Quote(c.Table.Name)), Args: bind.args}
}

// Write writes what was computed to the rows that are as they were read, in scope, and do not hold it already, as the CTEs of
// Apply. backfill_found has one more row than backfill_changed for each row that was changed meanwhile: in every form, as nothing of the
// batch may be committed then. A row that a trigger of the table keeps as it is looks the same, unless rows are held.
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
		return Query{SQL: cte + w.found(open, form, computed.Held), Args: bind.args}
	case Forget, Returning:
	}
	if computed.Held { // what is as it was read, and was not written, is kept by the table itself
		open = fmt.Sprintf("CASE WHEN %s THEN NOT (%s) END", inScope(bind, c), w.fresh)
	}
	return Query{SQL: cte + w.direct(bind, c, open, form, computed), Args: bind.args}
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
	add := func(values any, sqlType, name, cast string) {
		lists, names = append(lists, bind.value(values, sqlType)), append(names, name)
		casts = append(casts, fmt.Sprintf("%s::%s AS %s", name, cast, name))
	}
	for i, values := range keyed(c.Key, computed.Keys) {
		add(values.of, values.sqlType, fmt.Sprintf("backfill_k%d", i+1), c.Key[i].Type)
	}
	add(computed.Versions, "text[]", "backfill_x", "xid")
	if !c.Partitioned { // a place is one of a partition
		add(computed.Places, "text[]", "backfill_t", "tid")
	}
	for i, texts := range transposed(computed.Writes, len(c.Function.Writes)) {
		cast := c.Function.Writes[i].Type
		if textual(c.Function.Writes[i]) {
			cast = "text"
		}
		add(texts, "text[]", fmt.Sprintf("backfill_n%d", i+1), cast)
	}
	return fmt.Sprintf("backfill_given AS MATERIALIZED (SELECT %s\nFROM unnest(%s) AS backfill_list (%s)),\n",
		strings.Join(casts, ", "), strings.Join(lists, ", "), strings.Join(names, ", "))
}

// carried is one column of a list of rows, as it travels.
type carried struct {
	of      any
	sqlType string
}

// keyed lists keys column by column: as numbers, where each is one integer.
func keyed(key []keyset.Column, keys []keyset.Point) []carried {
	if numbers, ok := numbersOf(key, keys); ok {
		return []carried{{numbers, "bigint[]"}}
	}
	lists := make([]carried, len(key))
	for i, texts := range transposed(keys, len(key)) {
		lists[i] = carried{texts, "text[]"}
	}
	return lists
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
// index. Which rows were changed meanwhile is looked up, by the key, only where fewer were written than were given. Rows that are held are
// looked for by the key: one that VACUUM FULL has moved would be taken for one that a trigger keeps.
func (w writing) direct(bind *binder, c change.Change, open string, form Form, computed Computed) string {
	gives := "1"
	if form == Returning {
		gives = fmt.Sprintf("WITH (OLD AS backfill_old, NEW AS backfill_new) %s, %s, %s", named("k", qualified(w.target, w.key)),
			named("o", qualified("backfill_old", w.written)), named("n", qualified("backfill_new", w.written)))
	}
	all, matches := bind.value(len(computed.Keys), "bigint"), strings.Join(w.matches, " AND ")
	there, fresh, written := matches, w.fresh, fmt.Sprintf("backfill_given WHERE (SELECT count(*) FROM backfill_changed) = %s", all)
	switch {
	case computed.Held:
		written = "backfill_changed"
	case !c.Partitioned:
		there, fresh = w.target+".ctid = backfill_t", matches+" AND "+w.fresh
	}
	return fmt.Sprintf(`backfill_changed AS (UPDATE %s SET %s FROM backfill_given
WHERE %s AND CASE WHEN %s THEN CASE WHEN %s THEN %s END END
RETURNING %s),
backfill_found AS (SELECT FROM %s
UNION ALL SELECT FROM backfill_given, %s WHERE (SELECT count(*) FROM backfill_changed) < %s
  AND %s AND %s)`,
		w.table, w.sets, there, fresh, inScope(bind, c), w.differs, gives, written, w.table, all, matches, open)
}

// found is the form where an UPDATE does not give what it overwrote: the rows are found first, and their ctid tells, or a lock, that they are the same.
func (w writing) found(open string, form Form, held bool) string {
	same, place, lock := strings.Join(w.matches, " AND "), "", fmt.Sprintf("\nORDER BY %s FOR NO KEY UPDATE OF %s", strings.Join(numbered("backfill_k", len(w.key)), ", "), w.target)
	if form == Compared {
		place, lock = fmt.Sprintf("%[1]s.ctid AS backfill_ctid, %[1]s.xmin AS backfill_xmin, ", w.target), ""
		same = fmt.Sprintf("%[1]s.ctid = backfill_ctid AND %[1]s.xmin = backfill_xmin", w.target)
	}
	source, behind := "backfill_found", ""
	if held {
		source, behind = "backfill_seen", ",\nbackfill_found AS (SELECT FROM backfill_changed UNION ALL SELECT FROM backfill_seen WHERE NOT backfill_fresh)"
	}
	return fmt.Sprintf(`%s AS MATERIALIZED (SELECT %sbackfill_given.*, %s AS backfill_fresh, %s
FROM backfill_given, %s
WHERE %s AND %s%s),
backfill_changed AS (UPDATE %s SET %s FROM %s
WHERE %s AND backfill_fresh
RETURNING %s, %s, %s)%s`,
		source, place, w.fresh, named("backfill_o", qualified(w.target, w.written)), w.table, strings.Join(w.matches, " AND "), open, lock,
		w.table, w.sets, source, same, renamed("k", len(w.key)), renamed("o", len(w.written)), named("n", qualified(w.target, w.written)), behind)
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
	compared := slices.Clone(written)
	for i, column := range written {
		if textual(column) {
			compared[i].Base = "text"
		}
		switch {
		case column.Type == "bpchar":
			stored[i] = textOf(stored[i], column.Type)
		case column.Base == "character": // blanks at the end are no part of it
			stored[i], values[i] = stored[i]+"::text", "rtrim("+values[i]+", ' ')"
		case textual(column):
			stored[i] += "::text"
		}
	}
	return unlike(stored, values, compared)
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
