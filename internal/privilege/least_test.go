package privilege_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"backfill/internal/ledger"
	"backfill/internal/pausing"
	"backfill/internal/pgtest"
	"backfill/internal/rehearsal"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// TestEveryKindHasASection, and every section is tried.
func TestEveryKindHasASection(t *testing.T) {
	t.Parallel()
	tried := slices.Sorted(maps.Keys(kinds))
	given := sections(t)
	delete(given, "always")
	if written := slices.Sorted(maps.Keys(given)); !slices.Equal(written, tried) {
		t.Errorf("docs/grants.sql has %v, tried are %v", written, tried)
	}
}

// TestTheLeastRole carries out each kind under the rights of docs/grants.sql: a dry run, a run with a canary, its verification, its
// rollback, and the run once more.
func TestTheLeastRole(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for kind := range kinds {
			t.Run(kind, func(t *testing.T) {
				l := setup(t, db.Encoded(t, "UTF8"), kind)
				l.rehearse(t) // before the product's tables are there
				b := runtest.On(t, l.login)
				line, before := b.Line(t), l.content(t)
				expect(t, line, map[string]any{"action": "start", "run": runtest.ID, "definition": l.definition(), "canary": "10%"}, run.Paused)
				_, err := pausing.New(b.Ledger, b.Records).Approve(t.Context(), runtest.ID, "ann")
				must(t, err)
				if got := line.Watch(t, turn.Turn{Run: runtest.ID, Next: turn.Beat}); got.State != run.Completed {
					t.Fatalf("%+v", got)
				}
				if l.content(t) == before {
					t.Error("no row was changed")
				}
				expect(t, line, map[string]any{"action": "verify", "run": runtest.ID}, run.Completed)
				expect(t, line, map[string]any{"action": "rollback", "run": runtest.ID}, run.RolledBack)
				if l.content(t) != before {
					t.Error("the rollback has not restored every row")
				}
				l.rehearse(t)
				expect(t, line, map[string]any{"action": "start", "run": "again", "definition": l.definition()}, run.Completed)
			})
		}
	})
}

// rehearse demands a dry run in which nothing stands in the way, and no statement is refused.
func (l *least) rehearse(t *testing.T) {
	t.Helper()
	session := runtest.Session(t, l.login.URL)
	found, err := rehearsal.Rehearser{Session: session, Ledger: ledger.New(session, runtest.Terms), Reviewer: review.Reviewer{Session: session, Inline: true}}.
		Rehearse(t.Context(), review.Subject{Definition: l.definition()}, 3)
	must(t, err)
	if len(found.InTheWay) > 0 || strings.Contains(strings.Join(found.Unknown, ""), "SQLSTATE") {
		t.Errorf("in the way: %v; not known: %v", found.InTheWay, found.Unknown)
	}
}

// content is a digest of both tables, but for the numbers that a sequence gave.
func (l *least) content(t *testing.T) (digest string) {
	t.Helper()
	must(t, l.admin.Connect(t).QueryRow(t.Context(), `SELECT (SELECT md5(string_agg(o::text, ' ' ORDER BY id)) FROM shop.orders o)
		|| coalesce((SELECT md5(string_agg((id, email, total, country)::text, ' ' ORDER BY id)) FROM old.orders), '')`).Scan(&digest))
	return digest
}
