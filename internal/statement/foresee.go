package statement

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
)

// These look at what a change would do, and write nothing. What a user's expression gives is computed for rows in scope alone, as
// in the statements that write.

// foreseeing is a kind that can tell without writing what becomes of a row. Of one that is not, every row in scope counts as
// written, and what it would hold is not told.
type foreseeing interface {
	// outcome lists what would be written to c.Shown(), and gives the condition for a row that has to be written. No values: the row
	// goes.
	outcome(bind *binder, c change.Change) (values []string, differs string)
}

// Foresees tells whether Sample tells what rows would hold.
func Foresees(c change.Change) bool {
	_, can := of(c).(foreseeing)
	return can && c.Kind != change.Transform // Postgres does not know what a function gives
}

func (set) outcome(bind *binder, c change.Change) (values []string, condition string) {
	for _, assignment := range c.Set {
		values = append(values, "("+bind.expression(assignment.Expression, c.Params)+")")
	}
	if c.Volatile {
		return values, "true"
	}
	return values, differs(bind, c)
}

// outcome of a row that is written from others: of each of them, where it belongs to several.
func (joined) outcome(bind *binder, c change.Change) (values []string, differs string) {
	casts := make([]string, len(c.Set))
	for i, assignment := range c.Set {
		values = append(values, "("+bind.expression(assignment.Expression, c.Params)+")")
		casts[i] = values[i] + "::" + assignment.Type
	}
	if c.Volatile {
		return values, "true"
	}
	return values, unlike(prefixed(bind.target, columns(c.Columns())), casts, c.Columns())
}

// outcome of a row that is copied is the whole of the new one, as far as the copy gives it. Every such row is written; the condition computes
// it all the same, so that a row on which an expression fails is found.
func (copying) outcome(bind *binder, c change.Change) (values []string, differs string) {
	stored := make([]string, len(c.Copy.Columns))
	for i, assignment := range c.Copy.Columns {
		values = append(values, "("+bind.expression(assignment.Expression, c.Params)+")")
		stored[i] = values[i] + "::" + assignment.Type
	}
	if c.Volatile {
		return values, "true"
	}
	return values, evaluated(stored) + " >= 0"
}

// mostGiven is how many arguments a function of Postgres takes.
const mostGiven = 100

// evaluated is a number for which each of the values has to be computed, and none is taken out of TOAST.
func evaluated(values []string) string {
	var counts []string
	for some := range slices.Chunk(values, mostGiven) {
		counts = append(counts, "num_nonnulls("+strings.Join(some, ", ")+")")
	}
	return strings.Join(counts, " + ")
}

func (k moving) outcome(bind *binder, c change.Change) (values []string, differs string) {
	return copying{}.outcome(bind, c)
}

// holds are the values that c.Shown() have before the change. A row that is copied is none yet.
func holds(bind *binder, c change.Change) []string {
	values := make([]string, len(c.Shown()))
	for i, column := range c.Shown() {
		if values[i] = bind.target + Quote(column.Column); c.Copy != nil {
			values[i] = "NULL::text"
		}
	}
	return values
}

func (transformed) outcome(*binder, change.Change) (values []string, differs string) {
	return nil, "true"
}

func (deletion) outcome(*binder, change.Change) (values []string, differs string) { return nil, "true" }

// Tries tells whether Tally computes what the rows in scope would hold, so that one on which that fails is found. What is volatile is not
// computed for rows that nobody is shown: it may have effects.
func Tries(c change.Change) bool {
	return !c.Volatile || len(c.Set) == 0 && c.Copy == nil
}

func foresee(bind *binder, c change.Change) (values []string, differs string) {
	if kind, can := of(c).(foreseeing); can {
		return kind.outcome(bind, c)
	}
	return nil, "true"
}

// within is the condition for the rows that are in scope; "": all are.
func within(bind *binder, c change.Change) string {
	conditions := matches(c)
	if c.Where == "" {
		return conditions
	}
	if conditions != "" {
		return conditions + " AND (" + bind.expression(c.Where, c.Params) + ")"
	}
	return bind.expression(c.Where, c.Params)
}

// Tally counts the rows of a span: all, those in scope, and those that would be written. One query for each stretch of the
// index (see split); the sums are those of the span.
func Tally(c change.Change, span Span) []Query {
	return each(c, span, func(bind *binder, keys string) string {
		scope := within(bind, c)
		if scope == "" {
			scope = "true"
		}
		_, written := foresee(bind, c)
		return fmt.Sprintf("SELECT count(*), count(*) FILTER (WHERE %[1]s), count(*) FILTER (WHERE CASE WHEN %[1]s\n  THEN %[2]s END)\nFROM %[3]s WHERE %[4]s",
			scope, written, source(bind, c), keys)
	})
}

// longestValue is how much of a value is shown, in characters.
const longestValue = 200

// Sample reads the first rows in scope of a span: their key, what c.Shown() hold and would hold, as text, cut; whether it has to
// be written; and which of the values is longer than its column allows, which a cast in an expression would hide. One query for each
// stretch, in the order of the keys; each gives so many rows at most.
func Sample(c change.Change, span Span, rows int) []Query {
	return each(c, span, func(bind *binder, keys string) string {
		if scope := within(bind, c); scope != "" {
			keys += fmt.Sprintf("\n  AND CASE WHEN %s THEN true END", scope) // see scope
		}
		values, written := foresee(bind, c)
		key, held := prefixed(bind.target, quoted(c.Key)), holds(bind, c)
		order := strings.Join(key, ", ")
		row := fmt.Sprintf("SELECT %s FROM %s\nWHERE %s\nORDER BY %s LIMIT %s",
			list(named("backfill_k", key), named("backfill_o", held), named("backfill_n", values), "("+written+") AS backfill_differs"), source(bind, c), keys, order, bind.value(rows, "bigint"))
		after, long := make([]string, len(values)), make([]string, len(values))
		for i := range values {
			after[i], long[i] = assigned(c.Shown()[i], fmt.Sprintf("backfill_n%d", i+1))
		}
		return fmt.Sprintf("SELECT ARRAY[%s]::text[], ARRAY[%s]::text[], ARRAY[%s]::text[], coalesce(backfill_differs, false), ARRAY[%s]::boolean[]\nFROM (%s) AS backfill_row",
			strings.Join(textsOf("backfill_k", len(key)), ", "), strings.Join(shown(numbered("backfill_o", len(held))), ", "),
			strings.Join(shown(after), ", "), strings.Join(long, ", "), row)
	})
}

// assigned is a value as the column would hold it, and whether the column has no room for it: an assignment raises where a
// cast cuts.
func assigned(to change.Assignment, value string) (stored, long string) {
	stored, long = value+"::"+to.Type, "false"
	if base := bounded[to.Base]; base != "" && to.Base != to.Type {
		long = fmt.Sprintf("coalesce(length(%s::%s) > length(%s), false)", value, base, stored)
	}
	return stored, long
}

// bounded are the types that cut in a cast, by the name of the type without a length.
var bounded = map[string]string{"character varying": "varchar", "character": "bpchar"}

func shown(values []string) []string {
	cuts := make([]string, len(values))
	for i, value := range values {
		cuts[i] = fmt.Sprintf("left(%s::text, %d)", value, longestValue+1)
	}
	return cuts
}

// Cut tells a value that Sample has cut from one that is whole.
func Cut(value string) (string, bool) {
	if runes := []rune(value); len(runes) > longestValue {
		return string(runes[:longestValue]), true
	}
	return value, false
}

// Scattered reads keys from some pages of the table, one of each, in their order: the share of pages, in percent. The same
// pages each time, as long as the table has them.
func Scattered(c change.Change, percent float64, most int) Query {
	bind := &binder{}
	names := strings.Join(quoted(c.Key), ", ")
	return Query{SQL: fmt.Sprintf("SELECT ARRAY[%s] FROM (SELECT DISTINCT ON (tableoid, (ctid::text::point)[0]) %s\n"+
		"FROM %s TABLESAMPLE SYSTEM (%s) REPEATABLE (1)) AS backfill_page\nORDER BY %s LIMIT %s",
		texts(c.Key), names, Table(c.Table), bind.value(percent, "real"), names, bind.value(most, "bigint")), Args: bind.args}
}
