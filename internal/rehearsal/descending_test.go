package rehearsal_test

import (
	"strings"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/pgtest"
)

// TestARunThatWouldGoDown is told as one that goes up, chunk for chunk, and its order is in the answer.
func TestARunThatWouldGoDown(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, strings.Replace(users, "20000", "60000", 1)+"CREATE INDEX ON users (id) WHERE n <= 2000; ANALYZE users")
		for _, definition := range []string{lower, strings.Replace(lower, "country IS NOT NULL", "n <= 2000", 1), strings.Replace(lower, "1000", "5000000", 1)} {
			up, down := b.rehearse(t, definition, 8), b.rehearse(t, definition+"order: descending\n", 8)
			if down.Change.Order != keyset.Descending || down.Extent.Rows != 60_000 || down.Extent.Chunks != up.Extent.Chunks || !down.Extent.Counted || down.Extent.Skips != up.Extent.Skips {
				t.Errorf("%s; up %s", asJSON(t, down.Extent), asJSON(t, up.Extent))
			}
			if got, want := *down.Extent.InScope, *up.Extent.InScope; got != want || len(down.Sample) != len(up.Sample) || len(down.Unknown) != len(up.Unknown) {
				t.Errorf("%+v in scope, %+v on the way up; %d rows, %v", got, want, len(down.Sample), down.Unknown)
			}
		}
	})
}
