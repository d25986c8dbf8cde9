package statement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// Place names a row of backfill.undo: a stretch of a batch of a chunk.
type Place struct {
	Run   string
	Chunk int64
	Seq   int64
	Part  int
}

// Keep adds to a statement of Apply the CTE backfill_image: it stores what was overwritten as one row of backfill.undo,
// and has the bytes of it before compression. All keys lie within the range.
func Keep(c change.Change, within keyset.Range, update Query, place Place) Query {
	bind := &binder{args: slices.Clip(update.Args)}
	run, number := bind.value(place.Run, "text"), bind.value(place.Chunk, "bigint")
	seq, part := bind.value(place.Seq, "bigint"), bind.value(place.Part, "integer")
	steps, keys, source := "NULL::bigint[]", lists("k", typesOf(c.Key)), "backfill_changed"
	if steppable(c.Key, within) {
		steps, keys = "array_agg(step)", "NULL::text[]"
		source = "(SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM backfill_changed) AS stepped"
	}
	olds := "NULL::text[]"
	if columns := c.Columns(); len(columns) > 0 {
		olds = fmt.Sprintf("CASE WHEN count(*) FILTER (WHERE %s > 0) > 0 THEN %s END",
			nonnulls(numbered("o", len(columns))), lists("o", basesOf(columns)))
	}
	marks, condition := of(c).kept(bind, c)
	sql := fmt.Sprintf(`%s,
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT %s, %s, %s, %s, count(*), %s, %s, %s,
  %s
FROM %s%s HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes)`,
		update.SQL, run, number, seq, part, steps, keys, olds, marks, source, condition)
	return Query{SQL: sql, Args: bind.args}
}

// mostArguments is how many a function of Postgres takes.
const mostArguments = 100

// nonnulls counts the values that are not NULL.
func nonnulls(values []string) string {
	var counts []string
	for some := range slices.Chunk(values, mostArguments) {
		counts = append(counts, "num_nonnulls("+strings.Join(some, ", ")+")")
	}
	return strings.Join(counts, " + ")
}

// steppable tells whether a key is kept as the distance from the row before, which compresses to almost nothing: one
// integer column, and ends that no difference between them can overflow.
func steppable(key []keyset.Column, within keyset.Range) bool {
	if !integer(key) || within.Lo == nil {
		return false
	}
	const most = 1 << 61
	for _, end := range []string{within.Lo[0], within.Hi[0]} {
		if n, err := strconv.ParseInt(end, 10, 64); err != nil || n < -most || n > most {
			return false
		}
	}
	return true
}

// lists makes one list of text, column after column.
func lists(prefix string, types []string) string {
	all := numbered(prefix, len(types))
	for i, sqlType := range types {
		all[i] = "array_agg(" + textOf(all[i], sqlType) + ")"
	}
	return strings.Join(all, " || ")
}

// numbered lists prefix1, prefix2 ...
func numbered(prefix string, count int) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = prefix + strconv.Itoa(i+1)
	}
	return all
}

// textOf prints a value so that it reads back as the same image.
func textOf(expression, sqlType string) string {
	switch sqlType {
	case "text":
		return expression
	case "character", "bpchar": // the cast takes trailing blanks off
		return fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN format('%%s', %s) END", expression, expression)
	}
	return expression + "::text"
}

// mark is 5 bytes of hash of what the columns hold. That a user's value is taken for ours is a matter of 1 in 10^12
// for each row that a user changed.
func mark(values []string, columns []change.Column) string {
	return fmt.Sprintf(`substring(int8send(coalesce(hashtextextended((%s) COLLATE "C", 0), 0)) FROM 4)`, imageOf(values, columns))
}

// imageOf prints what the columns hold as one text, NULL only where a single one is.
func imageOf(values []string, columns []change.Column) string {
	texts := make([]string, len(columns))
	for i, sqlType := range basesOf(columns) {
		texts[i] = textOf(values[i], sqlType)
	}
	if len(texts) > 1 {
		return "ROW(" + strings.Join(texts, ", ") + ")::text"
	}
	return texts[0]
}

// markBytes is the length of a mark.
const markBytes = 5

func typesOf(key []keyset.Column) []string {
	types := make([]string, len(key))
	for i, column := range key {
		types[i] = column.Type
	}
	return types
}

// basesOf lists the types under all domains. A domain over text is not text to array_agg.
func basesOf(columns []change.Column) []string {
	types := make([]string, len(columns))
	for i, column := range columns {
		if types[i] = column.Base; column.Base == "text" && column.Type != "text" {
			types[i] = "domain"
		}
	}
	return types
}
