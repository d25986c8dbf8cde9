package governor_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/run"
)

// TestALookAtACanaryIsToldAsSuch: its chunks stay completed while workers look at their rows, and that nobody has come to them yet is not worth a word at first.
func TestALookAtACanaryIsToldAsSuch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE backfill.runs SET change = (change::jsonb || '{"verify": {"values": true}}')::json`)
	b.Plan(t, 12)
	b.canary(t, 3, 12)
	b.pass(t, time.Minute)
	b.beat(t) // opens the look
	expect := func(looking, looked, workers int64, reason string) {
		t.Helper()
		b.beat(t)
		got := b.Record(t).Status
		if got.Chunks != (run.Chunks{Total: 12, Pending: 9, Completed: 3, AllPlanned: true}) || got.Canary == nil || got.Canary.Looking != looking || got.Rows.Verified != looked || got.Concurrency != workers {
			t.Errorf("%+v, %+v, %d rows, %d workers", got.Chunks, got.Canary, got.Rows.Verified, got.Concurrency)
		}
		if want := "the canary's rows are looked at, before the run waits for an approval; " + reason; got.Throttle.Reason != want {
			t.Errorf("%q, want %q", got.Throttle.Reason, want)
		}
	}
	expect(3, 0, 0, "at most 4 workers at a time (ceiling of the stack)")
	if listed, err := b.Ledger.List(t.Context(), "run-1", ledger.Listing{Planned: 12, Limit: 1}); err != nil || listed[0].Reason != "it is done, and its rows are to be looked at" {
		t.Errorf("%+v, %v", listed, err)
	}
	b.pass(t, 20*time.Second)
	expect(3, 0, 0, "no worker holds a chunk; what waits for longer than 30 s is sent again")
	claim := b.Claim(t, 2, 2)
	expect(3, 0, 1, "at most 4 workers at a time (ceiling of the stack)")
	sql, args := claim.Advance(ledger.Step{Keys: 90, Done: true, Timeout: time.Minute})
	b.Exec(t, sql, args...)
	expect(2, 90, 0, "at most 4 workers at a time (ceiling of the stack)")
	for _, n := range []int64{1, 3} {
		sql, args := b.Claim(t, n, 2).Advance(ledger.Step{Keys: 90, Done: true, Timeout: time.Minute})
		b.Exec(t, sql, args...)
	}
	b.beat(t)
	if got := b.Record(t).Status; got.Pause == nil || got.Pause.For != run.ForCanary || got.Canary.Looking != 0 || got.Chunks.Completed != 3 || strings.Contains(got.Throttle.Reason, "looked at") {
		t.Errorf("%+v, %+v", got, got.Canary)
	}
}
