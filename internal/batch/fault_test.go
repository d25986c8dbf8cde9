package batch_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/pgtest"
)

// TestAnErrorLeavesLedgerAndRowsUntouched, wherever in the batch's transaction it comes.
func TestAnErrorLeavesLedgerAndRowsUntouched(t *testing.T) {
	t.Parallel()
	set := func(column, kind, expression string) []change.Assignment {
		return []change.Assignment{{Column: column, Type: kind, Expression: expression}}
	}
	for name, c := range map[string]struct {
		set   []change.Assignment
		class failure.Class
		code  string
		lock  bool // a user holds a row of the second batch
	}{
		"in a row":           {set("n", "integer", "n + 1 / (150 - id)::int"), failure.Data, "22012", false},
		"at the commit":      {set("friend", "bigint", "CASE WHEN id = 150 THEN 7 END"), failure.Data, "23503", false},
		"after a time":       {set("n", "integer", "CASE WHEN id = 150 THEN length(pg_sleep(60)::text) ELSE 1 END"), failure.Transient, "57014", false},
		"at a user's lock":   {counters.Set, failure.Transient, "55P03", true},
		"in the statement":   {set("nothing", "integer", "1"), failure.Permanent, "42703", false},
		"out of the numbers": {set("n", "integer", "CASE WHEN id = 150 THEN 2147483647 + id::int ELSE 1 END"), failure.Data, "22003", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := setup(t, db, counters)
				_, target := b.apply(t, b.find(t, 100), 100)
				if c.lock {
					user, err := db.Connect(t).Begin(t.Context())
					must(t, err)
					_, err = user.Exec(t.Context(), "UPDATE counters SET n = n WHERE id = 150")
					must(t, err)
				}
				broken := b.runner
				b.runner.Change.Set, b.runner.Timeout = c.set, time.Second
				err := b.expectNothing(t, target, c.class)
				told, where := failure.Safe(err), `apply batch 1 of chunk 1 of run run-1: 100 rows within "id" > 100 AND "id" <= 200: SQLSTATE `+c.code
				if !strings.Contains(told, "SQLSTATE "+c.code) || strings.HasPrefix(told, where) != (name != "in the statement") {
					t.Errorf("told %s of: %v", told, err)
				}
				if c.lock {
					return
				}
				b.runner = broken
				if outcome, _ := b.walk(t, target, 100); outcome.Affected != rows {
					t.Errorf("after it was mended: %+v", outcome)
				}
			})
		})
	}
}

// TestALostAnswerIsTheOnlyErrorAfterACommit: the claim is not moved, the ledger is; a claim anew finds out.
func TestALostAnswerIsTheOnlyErrorAfterACommit(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		proxy := pgtest.NewProxy(t, db)
		b.connect(t, proxy.URL)
		_, target := b.apply(t, b.find(t, 100), 100)
		_, target = b.apply(t, target, 100)
		proxy.CutWhen(func(fromServer bool, kind byte) bool { return fromServer && kind == pgtest.ReadyForQuery })
		_, _, err := b.runner.Apply(t.Context(), b.conn, &b.claim, target, 100)
		if !failure.Is(err, failure.Unknown) || b.claim.Seq != 2 {
			t.Fatalf("got %v (%s), batch %d", err, failure.Of(err), b.claim.Seq)
		}
		b.claim = b.take(t, b.claim.Message)
		if b.claim.Seq != 3 || b.claim.Affected != 300 || b.claim.From()[0] != "300" {
			t.Fatalf("claimed anew: %+v", b.claim)
		}
		b.connect(t, db.URL)
		if outcome, _ := b.walk(t, b.find(t, 100), 100); outcome.Affected != rows {
			t.Fatalf("the last batch: %+v", outcome)
		}
		if n := number(t, b.beside, "SELECT count(*) FROM counters WHERE n <> 1"); n != 0 {
			t.Fatalf("%d rows are wrong", n)
		}
	})
}
