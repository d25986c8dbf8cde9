package governor_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/runtest"
)

// TestAWorkerThatBacksOffIsWhy a run is not faster, once no other has a row handled: nobody knows for how long, so no end is foretold.
func TestAWorkerThatBacksOffIsWhy(t *testing.T) {
	t.Parallel()
	const locked = "backing off: 50 rows within \"id\" > 7: SQLSTATE 55P03 (lock_not_available)"
	b, gauges := gauged(t)
	b.Finish(t, 1)
	claim := b.Claim(t, 2, 1)
	held, err := b.Ledger.BacksOff(t.Context(), claim, time.Hour, locked)
	must(t, err)
	if !held {
		t.Fatal("the claim does not hold")
	}
	b.beat(t)
	if reason := b.Record(t).Status.Throttle.Reason; strings.Contains(reason, "55P03") {
		t.Errorf("others were at work a moment ago, and it says %s", reason)
	}
	b.pass(t, time.Minute)
	gauges.Lines(t)
	b.beat(t)
	status := b.Record(t).Status
	if !strings.HasPrefix(status.Throttle.Reason, "no row since ") || !strings.HasSuffix(status.Throttle.Reason, locked) || status.ETA != nil || status.ETASpread != nil {
		t.Errorf("it says %s, and foretells %v, %v", status.Throttle.Reason, status.ETA, status.ETASpread)
	}
	gauges.Expect(t, map[string]any{"run": runtest.ID, "Reason": "backing_off"})
	_, err = b.Ledger.Release(t.Context(), claim, time.Hour, locked)
	must(t, err)
	b.beat(t)
	if reason := b.Record(t).Status.Throttle.Reason; !strings.HasSuffix(reason, locked) {
		t.Errorf("given back for the same, it says %s", reason)
	}
}
