package statement

import (
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// One changes the row of that key, if it is there, in scope, and not right already.
func One(c change.Change, row keyset.Point, form Form) Query {
	bind := &binder{}
	terms := make([]string, len(row))
	for i, text := range row {
		terms[i] = bind.compare(c.Key[i], "=", text)
	}
	return Query{SQL: of(c).apply(bind, c, strings.Join(terms, " AND "), form), Args: bind.args}
}
