package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// TestConflictsComeInTheOrderOfTheirKeys, which are stored as text: numbers as numbers, an enum as it was declared.
func TestConflictsComeInTheOrderOfTheirKeys(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.exec(t, "CREATE TYPE public.size AS ENUM ('small', 'large'); CREATE DOMAIN public.number AS numeric(6,2)")
		for name, c := range map[string]struct {
			types []string
			keys  []string // in their order; the parts of a key are separated by a blank
		}{
			"integers":         {[]string{"bigint"}, []string{"-10", "-9", "2", "9", "10", "100"}},
			"texts":            {[]string{"text"}, []string{"10", "100", "9"}},
			"an enum":          {[]string{"public.size"}, []string{"small", "large"}},
			"a domain":         {[]string{"public.number"}, []string{"9.50", "10.25"}},
			"times":            {[]string{"timestamp(3) without time zone"}, []string{"2024-01-31", "10000-01-01"}},
			"two columns":      {[]string{"text", "integer"}, []string{"a 9", "a 10", "b 1"}},
			"a type that went": {[]string{"public.gone", "integer"}, []string{"10 9", "10 10", "9 1"}},
		} {
			b.exec(t, "TRUNCATE backfill.conflicts")
			r := describe(theRun, "users")
			r.Change.Key = nil
			for _, sqlType := range c.types {
				r.Change.Key = append(r.Change.Key, keyset.Column{Name: "k", Type: sqlType})
			}
			for i, key := range c.keys { // the second chunk comes last, whatever its key is
				parts := strings.Fields(key)
				b.exec(t, "INSERT INTO backfill.conflicts (run, chunk, key, found_at) VALUES ($1, 1, $2, now()), ($1, $3, $2, now())", theRun, parts, 100-i)
			}
			var chunks []int64
			var got []string
			must(t, b.ledger.Conflicts(t.Context(), r, 0, 100, func(found ledger.Conflict) bool {
				chunks = append(chunks, found.Chunk)
				if found.Chunk == 1 {
					got = append(got, strings.Join(found.Key, " "))
				}
				return false
			}))
			if !slices.Equal(got, c.keys) || !slices.IsSorted(chunks) || len(chunks) != 2*len(c.keys) {
				t.Errorf("%s: %q of chunks %v, want %q", name, got, chunks, c.keys)
			}
		}
	})
}

// TestAConflictTellsWhatTheRowHeldBeforeTheRun, of a long value the beginning.
func TestAConflictTellsWhatTheRowHeldBeforeTheRun(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.exec(t, `INSERT INTO backfill.conflicts (run, chunk, key, holds, was, found_at) VALUES
			($1, 1, '{1}', '{now}', ARRAY['é' || repeat('x', 2000), NULL, ''], now()), ($1, 1, '{2}', NULL, NULL, now())`, theRun)
		var all []ledger.Conflict
		must(t, b.ledger.Conflicts(t.Context(), describe(theRun, "users"), 0, 100, func(found ledger.Conflict) bool {
			all = append(all, found)
			return false
		}))
		was := all[0].Was
		if len(all) != 2 || len(was) != 3 || *was[0] != "é"+strings.Repeat("x", 999) || was[1] != nil || *was[2] != "" || all[1].Was != nil {
			t.Errorf("%+v", all)
		}
	})
}
