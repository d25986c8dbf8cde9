package statement

import (
	"fmt"
	"strings"

	"backfill/internal/change"
)

// Update builds the statements that apply a change of kind set to a span, one for each stretch of the index (see
// split). Each returns one row for each row it wrote. Rows that already hold the values are not written; sameness
// is of the stored image (*<>), so that citext, json and nondeterministic collations count as different.
func Update(c change.Change, span Span) []Query {
	parts := split(span)
	queries := make([]Query, len(parts))
	for i, part := range parts {
		bind := &binder{}
		keys := bind.stretch(c.Key, part)
		queries[i] = Query{SQL: update(bind, c, keys), Args: bind.args}
	}
	return queries
}

func update(bind *binder, c change.Change, keys string) string {
	sets := make([]string, len(c.Set))
	for i, assignment := range c.Set {
		sets[i] = Quote(assignment.Column) + " = (" + bind.expression(assignment.Expression, c.Params) + ")"
	}
	terms := []string{keys}
	if c.Where != "" {
		// CASE keeps the plan on the key's index: a partial index on the predicate would be read whole by every batch.
		terms = append(terms, "CASE WHEN "+bind.expression(c.Where, c.Params)+" THEN true END")
	}
	if !c.Volatile {
		terms = append(terms, differs(bind, c))
	}
	return fmt.Sprintf("UPDATE %s SET %s\nWHERE %s\nRETURNING 1",
		Table(c.Table), strings.Join(sets, ", "), strings.Join(terms, "\n  AND "))
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
