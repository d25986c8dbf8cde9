package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// Next finds the end of the next batch: the last of the first so many keys above from, up to and including hi. It
// returns no row when none is left, else the key as text, the number of keys up to it, and how many leading columns
// it shares with from and with hi. The limit, not hi, ends the walk (see split). Keys are counted one by one only where
// hi comes first, in the last batch of a chunk: to number 10,000 keys takes 5 ms, to pass over them less than 1.
func Next(c change.Change, from, hi keyset.Point, limit int64) Query {
	bind := &binder{}
	names := quoted(c.Key)
	where := ""
	if from != nil {
		where = fmt.Sprintf(" WHERE %s > %s", row(names), row(bind.point(c.Key, from)))
	}
	rows := bind.value(limit, "bigint")
	list := strings.Join(names, ", ")
	walk := fmt.Sprintf("FROM %s%s ORDER BY %s", Table(c.Table), where, list)
	inside := row(names) + " <= " + row(bind.point(c.Key, hi))
	found := fmt.Sprintf("SELECT ARRAY[%s], backfill_n, %s, %s", texts(c.Key), common(bind, c.Key, from), common(bind, c.Key, hi))
	sql := fmt.Sprintf(`WITH backfill_full AS MATERIALIZED (SELECT %[1]s, %[2]s AS backfill_n %[3]s LIMIT 1 OFFSET %[2]s - 1)
%[4]s FROM backfill_full WHERE %[5]s
UNION ALL (%[4]s FROM (SELECT %[1]s, row_number() OVER (ORDER BY %[1]s) AS backfill_n %[3]s LIMIT %[2]s) AS backfill_counted
WHERE %[5]s AND NOT EXISTS (SELECT FROM backfill_full WHERE %[5]s) ORDER BY backfill_n DESC LIMIT 1)`,
		list, rows, walk, found, inside)
	return Query{SQL: sql, Args: bind.args}
}

// Last finds the greatest key behind a point (nil: of all), as text: the bound of a run. It returns no row where there is none.
func Last(c change.Change, behind keyset.Point) Query {
	bind, where := &binder{}, ""
	if behind != nil {
		where = " WHERE " + row(quoted(c.Key)) + " > " + row(bind.point(c.Key, behind))
	}
	return Query{SQL: fmt.Sprintf("SELECT ARRAY[%s] FROM %s%s ORDER BY %s LIMIT 1",
		texts(c.Key), Table(c.Table), where, descending(c.Key)), Args: bind.args}
}

// Cursor declares the cursor that a planner moves over the keys above from, up to and including the bound, in the order of the change.
// Downwards the key's index is read backwards, whatever the order of its columns.
func Cursor(c change.Change, name string, from, bound keyset.Point) Query {
	bind := &binder{}
	names := quoted(c.Key)
	terms := []string{row(names) + " <= " + row(bind.point(c.Key, bound))}
	if from != nil {
		terms = append(terms, row(names)+" > "+row(bind.point(c.Key, from)))
	}
	order := strings.Join(names, ", ")
	if c.Order == keyset.Descending {
		order = descending(c.Key)
	}
	return Query{SQL: fmt.Sprintf("DECLARE %s NO SCROLL CURSOR FOR SELECT %s FROM %s WHERE %s ORDER BY %s",
		Quote(name), printed(c.Key), Table(c.Table), strings.Join(terms, " AND "), order), Args: bind.args}
}

// descending orders by the key from the greatest down.
func descending(key []keyset.Column) string {
	return strings.Join(quoted(key), " DESC, ") + " DESC"
}

// printed is the key's columns as they are: what is fetched is printed then, and what is moved over is not. Two types are
// printed otherwise than their cast to text, which is what all other points are. ORDER BY takes the name of a column that comes
// out before that of the table's, so a cast has another name.
func printed(key []keyset.Column) string {
	columns := quoted(key)
	for i, column := range key {
		if column.Type == "boolean" || strings.HasPrefix(column.Type, "character(") {
			columns[i] += "::text AS " + Quote("backfill "+column.Name)
		}
	}
	return strings.Join(columns, ", ")
}

// texts prints the key's columns as text.
func texts(key []keyset.Column) string {
	casts := make([]string, len(key))
	for i, name := range quoted(key) {
		casts[i] = name + "::text"
	}
	return strings.Join(casts, ", ")
}

// common counts the leading columns in which the row and the point are equal, by the column's own collation.
func common(bind *binder, key []keyset.Column, point keyset.Point) string {
	if point == nil {
		return "0"
	}
	sum := make([]string, len(key))
	values := bind.point(key, point)
	for i := range key {
		equal := make([]string, i+1)
		for j := range equal {
			equal[j] = Quote(key[j].Name) + " = " + values[j]
		}
		sum[i] = "(" + strings.Join(equal, " AND ") + ")::int"
	}
	return strings.Join(sum, " + ")
}
