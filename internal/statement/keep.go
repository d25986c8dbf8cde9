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

// Keep adds to a statement of Apply the CTE backfill_image: it stores what was overwritten as one row of backfill.undo, or where
// rows are kept in two ways as two, and has the bytes of it before compression. All keys lie within the range.
func Keep(c change.Change, within keyset.Range, update Query, place Place) Query {
	bind := &binder{args: slices.Clip(update.Args)}
	at := []string{bind.value(place.Run, "text"), bind.value(place.Chunk, "bigint"), bind.value(place.Seq, "bigint"), bind.value(place.Part, "integer")}
	images := of(c).images(bind, c)
	if len(images) == 1 {
		return Query{SQL: update.SQL + ",\n" + keep(c, within, "backfill_image", at, images[0]), Args: bind.args}
	}
	sql, part := update.SQL, at[3]
	kept := make([]string, len(images))
	for i, image := range images {
		name := fmt.Sprintf("backfill_image_%d", i)
		at[3] = fmt.Sprintf("%d * %s + %d", len(images), part, i)
		sql += ",\n" + keep(c, within, name, at, image)
		kept[i] = "SELECT bytes FROM " + name
	}
	return Query{SQL: sql + ",\nbackfill_image AS (" + strings.Join(kept, " UNION ALL ") + ")", Args: bind.args}
}

// keep is the CTE that stores one row of backfill.undo.
func keep(c change.Change, within keyset.Range, name string, at []string, i image) string {
	_, key := c.Written()
	steps, keys, source := "NULL::bigint[]", lists("k", typesOf(key)), i.from
	if stepped(c, within) {
		steps, keys = "array_agg(step)", "NULL::text[]"
		source = fmt.Sprintf("(SELECT *, k1 - lag(k1::bigint, 1, 0::bigint) OVER () AS step FROM %s) AS stepped", i.from)
	}
	olds := "NULL::text[]"
	if len(i.olds) > 0 {
		olds = fmt.Sprintf("CASE WHEN count(*) FILTER (WHERE %s > 0) > 0 THEN %s END",
			nonnulls(numbered("o", len(i.olds))), lists("o", basesOf(i.olds)))
	}
	return fmt.Sprintf(`%s AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT %s, count(*), %s, %s, %s,
  %s
FROM %s%s HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes)`,
		name, strings.Join(at, ", "), steps, keys, olds, i.marks, source, i.condition)
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
	return fmt.Sprintf(`substring(int8send(coalesce(hashtextextended((%s) COLLATE "C", 0), 0)) FROM 4)`, textImage(values, columns))
}

// textImage prints what the columns hold as one text, NULL only where a single one is.
func textImage(values []string, columns []change.Column) string {
	texts := make([]string, len(columns))
	for i, sqlType := range basesOf(columns) {
		texts[i] = textOf(values[i], sqlType)
	}
	if len(texts) > 1 {
		return "ROW(" + strings.Join(texts, ", ") + ")::text"
	}
	return texts[0]
}

// marks gathers the marks of rows.
func marks(values []string, columns []change.Column) string {
	return fmt.Sprintf("string_agg(%s, ''::bytea)", mark(values, columns))
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
