package backfills_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"backfill/internal/backfills"
	"backfill/internal/change"
	"backfill/internal/transform"
)

// outcome is what came of a row.
type outcome struct {
	changed bool
	values  map[string]string // of the columns that are written, as Postgres reads them; one that is NULL is not in it
	refused error
}

// try has the function of a definition work on rows, without a database: column to value, as Postgres prints it; one that is not there
// is NULL. Types has the type of each column that the definition names, and of the key.
func try(t *testing.T, backfill string, types map[string]string, rows ...map[string]string) []outcome {
	t.Helper()
	d, err := backfills.Load(backfill)
	if err != nil {
		t.Fatal(err)
	}
	function, ok := transform.Find(d.Transform.Function)
	if !ok {
		t.Fatalf("no function %q is registered", d.Transform.Function)
	}
	columns := func(names []string) (list []change.Column) {
		for _, name := range names {
			list = append(list, change.Column{Name: name, Type: types[name], Base: types[name]})
		}
		return list
	}
	key := slices.DeleteFunc(slices.Sorted(maps.Keys(types)), func(name string) bool {
		return slices.Contains(d.Transform.Reads, name) || slices.Contains(d.Transform.Writes, name)
	})
	values := make([][]*string, len(rows))
	for i, row := range rows {
		for _, name := range slices.Concat(key, d.Transform.Reads) {
			var value *string
			if text, ok := row[name]; ok {
				value = &text
			}
			values[i] = append(values[i], value)
		}
	}
	form := transform.NewForm(change.Function{Key: columns(key), Reads: columns(d.Transform.Reads), Writes: columns(d.Transform.Writes)})
	results, err := function.Call(t.Context(), time.Minute, form.Rows(values))
	if err != nil {
		t.Fatal(err)
	}
	outcomes := make([]outcome, len(results))
	for i, result := range results {
		outcomes[i] = outcome{changed: result.Changed, refused: result.Refused, values: map[string]string{}}
		for j, value := range result.Values {
			if value != nil {
				outcomes[i].values[d.Transform.Writes[j]] = *value
			}
		}
	}
	return outcomes
}
