package batch_test

import (
	"context"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/pgtest"
	"backfill/internal/transform"

	"pgregory.net/rapid"
)

// add gives n + 1.
func add(_ context.Context, rows []transform.Row) (changes []transform.Change, _ error) {
	for _, row := range rows {
		n, _ := row.Int("n")
		changes = append(changes, row.Change().Set("n", transform.Int(n+1)))
	}
	return changes, nil
}

// added is the increment of a table, made by the function.
func added(table pgtest.KeyTable) change.Change {
	c := table.Increment()
	n := []change.Column{{Name: "n", Type: "integer", Base: "integer"}}
	c.Kind, c.Set, c.Function = change.Transform, nil, &change.Function{Name: "add", Version: "1", Reads: n, Writes: n}
	for _, column := range table.Key {
		c.Function.Key = append(c.Function.Key, change.Column{Name: column.Name, Type: column.Type, Base: column.Type})
	}
	return c
}

// TestAFunctionMeetsEachKeyOnceInPasses: as TestPassesMeetEachKeyOnce, for what is read of stripes ahead of what is committed.
func TestAFunctionMeetsEachKeyOnceInPasses(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b, tables := markedTables(t, db)
		rapid.Check(t, func(r *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(r, "table")
			c := added(table)
			c.ChunkRows, c.Undo = rapid.Int64Range(1, 30).Draw(r, "chunk rows"), rapid.Bool().Draw(r, "undo")
			b.runner = batch.Runner{Change: c, Timeout: 10 * time.Second}
			b.fillMarked(t, r, table)
			disturbed := rapid.Bool().Draw(r, "rows come and go")
			var affected int64
			for _, part := range b.plan(t, r, c) {
				b.claim = b.take(t, part)
				window := drawWindow(r)
				worker := func() steps {
					b.claim.Passes = window.Passes // they are chosen, so it reads ahead
					return &batch.Transformed{Runner: b.runner, Function: transform.Function{Name: "add", Version: "1", Do: add}, Form: transform.NewForm(*c.Function),
						Source: &batch.InPasses{Window: window}}
				}
				affected += b.dieAndResume(t, r, worker, func() {
					if disturbed {
						b.disturb(t, r, table)
					}
				}).Affected
			}
			b.expectMarked(t, r, table, affected)
		})
	})
}
