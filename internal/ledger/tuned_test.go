package ledger_test

import (
	"testing"

	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// limited are the limits of the runs that have not ended, as the next decision has them.
func (b *bundle) limited(t *testing.T) map[string]int {
	t.Helper()
	standing, err := b.ledger.Standing(t.Context(), theRun, 0)
	must(t, err)
	all := map[string]int{}
	for _, limits := range standing.Limits {
		all[limits.String()]++
	}
	return all
}

// TestLimitsOfSignalsAreOfTheirRun: one that is set goes over the definition's until it is the default again, and the definition
// stays as it is.
func TestLimitsOfSignalsAreOfTheirRun(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.open(t, "other")
		b.exec(t, `UPDATE backfill.runs SET change = (change::jsonb || '{"throttle":{"lock_waiters":4}}')::json`)
		before := b.number(t, "SELECT hashtext(string_agg(change::text, '' ORDER BY run)) FROM backfill.runs")
		four, off := 7.0, float64(signal.Off)
		for _, c := range []struct {
			set  map[signal.Name]*float64
			want string
			said string
		}{
			{map[signal.Name]*float64{signal.LockWaiters: &four, signal.IOWaits: &off}, "lock_waiters 7, io_waits off", "limits lock_waiters 7, io_waits off"},
			{map[signal.Name]*float64{signal.CommitTime: &four}, "lock_waiters 7, io_waits off, commit_milliseconds 7", "limits commit_milliseconds 7"},
			{map[signal.Name]*float64{signal.LockWaiters: nil, signal.IOWaits: &four}, "lock_waiters 4, io_waits 7, commit_milliseconds 7",
				"limits io_waits 7, limits as in the definition: lock_waiters"},
			{map[signal.Name]*float64{signal.CommitTime: nil, signal.IOWaits: nil}, "lock_waiters 4", "limits as in the definition: io_waits, commit_milliseconds"},
		} {
			tuning := ledger.Tuning{Limits: c.set, By: "ann"}
			limits := b.tune(t, theRun, tuning)
			want := map[string]int{c.want: 1, "lock_waiters 4": 1}
			if c.want == "lock_waiters 4" {
				want[c.want] = 2
			}
			if diff := cmp.Diff(want, b.limited(t)); diff != "" {
				t.Errorf("%s: %s", c.said, diff)
			}
			log := b.look(t).Changes
			if last := log[len(log)-1]; last.Detail != c.said || last.By != "ann" || limits.By != "ann" {
				t.Errorf("the log says %+v, want %s", last, c.said)
			}
			if diff := cmp.Diff(limits.Signals, b.look(t).Limits.Signals); diff != "" {
				t.Error(diff)
			}
		}
		if after := b.number(t, "SELECT hashtext(string_agg(change::text, '' ORDER BY run)) FROM backfill.runs"); after != before {
			t.Error("a definition was changed")
		}
	})
}

// TestTheErrorBudgetIsOfItsRun, and is the definition's again.
func TestTheErrorBudgetIsOfItsRun(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.open(t, "other")
	for _, c := range []struct{ set, want int64 }{{50, 50}, {0, 0}, {-1, -1}} {
		b.tune(t, theRun, ledger.Tuning{Budget: &c.set})
		claim, other := claimOf(theRun), claimOf("other")
		got := b.reserveOf(t, claim).Budget
		if (got == nil) != (c.want < 0) || got != nil && *got != c.want || b.reserveOf(t, other).Budget != nil {
			t.Errorf("%d: %v", c.set, got)
		}
		if limit := b.look(t).Limits.ErrorBudget; (limit == nil) != (got == nil) {
			t.Errorf("the status says %v", limit)
		}
	}
	log := b.look(t).Changes
	if len(log) != 3 || log[0].Detail != "error budget 50" || log[2].Detail != "error budget as in the definition" {
		t.Errorf("%+v", log)
	}
}

func (b *bundle) reserveOf(t *testing.T, claim ledger.Claim) ledger.Reservation {
	t.Helper()
	got, err := b.ledger.Reserve(t.Context(), claim, 1)
	must(t, err)
	return got
}
