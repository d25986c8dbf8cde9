package statement

import (
	"fmt"
	"strings"

	"backfill/internal/keyset"
)

// listing takes apart the lists of keys in a row of backfill.undo or backfill.stripes. It gives an item of FROM, with the
// columns step, k1 .., o1 .. (the lists beside) and n, and the key's columns as values of their types.
func listing(key []keyset.Column, of string, beside ...string) (source, columns string) {
	single := "NULL::bigint[]"
	casts := make([]string, len(key))
	for i, column := range key {
		casts[i] = fmt.Sprintf("k%d::%s AS k%d", i+1, column.Type, i+1)
	}
	if len(key) == 1 {
		// An integer key is kept as steps, any other as text; the sum of no steps is NULL.
		single = of + ".steps"
		casts[0] = fmt.Sprintf("coalesce((sum(step) OVER (ORDER BY n))::text, k1)::%s AS k1", key[0].Type)
	}
	lists := append([]string{single}, cuts(of, "keys", len(key))...)
	names := append(append([]string{"step"}, numbered("k", len(key))...), numbered("o", len(beside))...)
	source = fmt.Sprintf("unnest(%s) WITH ORDINALITY AS e (%s, n)",
		strings.Join(append(lists, beside...), ", "), strings.Join(names, ", "))
	return source, strings.Join(casts, ", ")
}

// cuts takes apart a list that holds column after column.
func cuts(of, list string, columns int) []string {
	all := make([]string, columns)
	for i := range all {
		all[i] = fmt.Sprintf("%[1]s.%[2]s[%[3]d * %[1]s.rows + 1:%[4]d * %[1]s.rows]", of, list, i, i+1)
	}
	return all
}
