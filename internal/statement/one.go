package statement

import (
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// One changes the row of that key, if it is there, in scope, and not right already.
func One(c change.Change, row keyset.Point, form Form) Query {
	bind := binding(c)
	return Query{SQL: of(c).apply(bind, c, bind.single(c.Key, row), form), Args: bind.args}
}

// single is the condition for one key.
func (b *binder) single(key []keyset.Column, row keyset.Point) string {
	terms := make([]string, len(row))
	for i, text := range row {
		terms[i] = b.compare(key[i], "=", text)
	}
	return strings.Join(terms, " AND ")
}
