package batch_test

import (
	"fmt"
	"testing"

	"backfill/internal/pgtest"
)

// settings are rows whose jsonb users change as well.
const settings = `CREATE TABLE t (id int PRIMARY KEY, settings jsonb, amount text, cents bigint);
	INSERT INTO t SELECT g, jsonb_build_object('theme', 'light', 'colour', g, 'old', true, 'tags', jsonb_build_array('a', 'b')), g || '.50', NULL FROM generate_series(1, 20) g; ANALYZE t`

// TestUsersWhoChangeAnotherPath: of a jsonb column, each of the ways to change one that docs/kinds/set.md has. A batch that waits for
// a user's row computes from what the user has written, so both changes are there, and a rollback leaves such a row alone.
func TestUsersWhoChangeAnotherPath(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ set, fine string }{
		"a path":          {`settings: jsonb_set(settings, '{theme}', '"dark"')`, `settings->>'theme' = 'dark'`},
		"from itself":     {`settings: jsonb_set(settings, '{theme}', to_jsonb(upper(settings->>'theme')))`, `settings->>'theme' = 'LIGHT'`},
		"in a list":       {`settings: jsonb_set(settings, '{tags,0}', '"x"')`, `settings->'tags' = '["x", "b"]'`},
		"a key is added":  {`settings: settings || jsonb_build_object('twice', id * 2)`, `settings->'twice' = to_jsonb(id * 2)`},
		"a key is gone":   {`settings: settings - 'old'`, `NOT settings ? 'old'`},
		"another name":    {`settings: (settings - 'colour') || jsonb_build_object('color', settings->'colour')`, `settings->'color' = to_jsonb(id) AND NOT settings ? 'colour'`},
		"into a column":   {`cents: (settings->>'colour')::bigint`, `cents = id`},
		"a cast":          {`cents: round(amount::numeric * 100)::bigint`, `cents = id * 100 + 50`},
		"text into jsonb": {"settings: jsonb_set(settings, '{amount}', to_jsonb(amount::numeric(10, 2)))", `settings->>'amount' = amount`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, settings, "table: t\nset:\n  "+c.set+"\n")
				tx, err := b.beside.Begin(t.Context())
				must(t, err)
				_, err = tx.Exec(t.Context(), `UPDATE t SET settings = jsonb_set(settings, '{lang}', '"de"') WHERE id = 3`)
				must(t, err)
				committed := make(chan error, 1)
				go func() {
					pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
					committed <- tx.Commit(t.Context())
				}()
				b.forwardPatiently(t)
				must(t, <-committed)
				b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
				fine := fmt.Sprintf("SELECT count(*) FROM t WHERE (%s) AND settings ? 'theme' AND (settings->>'lang' IS NOT DISTINCT FROM CASE id WHEN 3 THEN 'de' END)", c.fine)
				if n := b.number(t, fine); n != 20 {
					t.Fatalf("%d of 20 rows have both changes", n)
				}
				b.exec(t, `UPDATE t SET settings = jsonb_set(settings, '{lang}', '"fr"') WHERE id = 5`)
				b.back(t, 100)
				const before = `SELECT count(*) FROM t WHERE settings - 'lang' = jsonb_build_object('theme', 'light', 'colour', id, 'old', true, 'tags', jsonb_build_array('a', 'b'))
					AND cents IS NULL AND (settings->>'lang' IS NOT DISTINCT FROM CASE id WHEN 3 THEN 'de' WHEN 5 THEN 'fr' END)`
				conflicts := b.number(t, "SELECT count(*) FROM backfill.conflicts WHERE key = ARRAY['5']")
				if n := b.number(t, before); n+conflicts != 20 || b.number(t, "SELECT count(*) FROM t WHERE id = 5 AND settings->>'lang' = 'fr'") != 1 {
					t.Fatalf("%d of 20 rows are as before, %d conflicts", n, conflicts)
				}
			})
		})
	}
}
