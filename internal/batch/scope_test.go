package batch_test

import (
	"testing"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/pgtest"
	"backfill/internal/statement"
)

// TestRowsOutOfScopeMeetNoExpression: `where` keeps a cast from the rows that it would fail on, as in an UPDATE by hand,
// however dear Postgres takes the condition to be.
func TestRowsOutOfScopeMeetNoExpression(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE FUNCTION is_number(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN t ~ '^[0-9]+$'; END $$`)
		b := setup(t, db, counters)
		b.exec(t, "ALTER TABLE counters ADD word text")
		for name, undo := range map[string]bool{"with undo": true, "without": false} {
			for way, steps := range map[string]func(batch.Runner) steps{
				"plain": func(r batch.Runner) steps { return &batch.Forward{Runner: r} },
				"passes": func(r batch.Runner) steps {
					return &batch.Striped{Runner: r, Window: statement.Window{Keys: 200, Passes: 4, Batches: 2}}
				},
			} {
				c := counters
				c.Undo, c.Where = undo, "is_number(word)"
				c.Set = []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "word::int"}}
				b.exec(t, "DELETE FROM backfill.undo")
				b.exec(t, "UPDATE counters SET n = 0, word = CASE WHEN id % 3 = 0 THEN 'x' ELSE id::text END")
				b.claim, b.runner.Change = b.whole(t, c), c
				all := steps(b.runner)
				for done := false; !done; {
					outcome, err := all.Step(t.Context(), b.conn, &b.claim, 100)
					must(t, err)
					done = outcome.Done
				}
				if n := number(t, b.beside, "SELECT count(*) FROM counters WHERE n <> CASE WHEN id % 3 = 0 THEN 0 ELSE id END"); n != 0 {
					t.Errorf("%s, %s: %d rows are wrong", way, name, n)
				}
			}
		}
	})
}
