package governor_test

import (
	"context"
	"testing"
	"time"

	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/signal"
	"backfill/internal/turn"
)

func gauged(t *testing.T) (*bundle, *runtest.Gauges) {
	t.Helper()
	b, gauges := stalls(t), runtest.NewGauges()
	b.governor.Gauges = gauges.Writer
	return b, gauges
}

// TestABeatTellsItsFiguresOnce: how the run stands, and what slows it. A worker that died is counted when its chunk is sent again.
func TestABeatTellsItsFiguresOnce(t *testing.T) {
	t.Parallel()
	b, gauges := gauged(t)
	b.beat(t)
	gauges.Expect(t, map[string]any{"run": runtest.ID, "Workers": 0.0, "ChunksWaiting": 6.0, "RunsStalled": 0.0, "LeasesExpired": 0.0, "RunsFailed": nil,
		"Reason": "no_worker", "Slowed": 1.0})
	b.Claim(t, 1, 1)
	b.beat(t)
	gauges.Expect(t, map[string]any{"Workers": 1.0, "Reason": "stack_ceiling", "LeasesExpired": 0.0})
	b.Exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() - interval '1 second'")
	b.beat(t)
	gauges.Expect(t, map[string]any{"Workers": 0.0, "LeasesExpired": 1.0})
	b.beat(t)
	gauges.Expect(t, map[string]any{"LeasesExpired": 0.0})
}

// TestAStallIsTold from the beat that finds it until the run fails, and the failure once.
func TestAStallIsTold(t *testing.T) {
	t.Parallel()
	b, gauges := gauged(t)
	b.pass(t, 6*time.Minute)
	b.beat(t)
	b.beat(t)
	if lines := gauges.Lines(t); lines[1]["RunsStalled"] != 1.0 {
		t.Errorf("%v", lines)
	}
	b.pass(t, time.Hour)
	if got := b.beat(t); got.Next != turn.End || got.State != run.Failed {
		t.Fatalf("%+v", got)
	}
	gauges.Expect(t, map[string]any{"RunsFailed": 1.0, "RunsCompleted": 0.0, "RunsCancelled": 0.0, "Slowed": nil})
}

// TestWhatSlowsARunIsNamed by few names: those of signals, and one for all metrics of users.
func TestWhatSlowsARunIsNamed(t *testing.T) {
	t.Parallel()
	high, low, limit := 9.0, 1.0, 10.0
	for want, readings := range map[string][]signal.Reading{
		"recovering":   {{Name: signal.LockWaiters, Value: &low, Limit: &limit}, {Name: signal.IOWaits, Limit: &limit}},
		"lock_waiters": {{Name: signal.IOWaits, Value: &low, Limit: &limit}, {Name: signal.LockWaiters, Value: &high, Limit: &limit}},
		"metric":       {{Name: "orders_waiting", Value: &high, Limit: &limit}},
	} {
		b, gauges := gauged(t)
		b.governor.Regulator = decided{Rate: &low, Reason: "held", Signals: readings}
		b.Claim(t, 1, 1)
		b.beat(t)
		gauges.Expect(t, map[string]any{"Reason": want, "RateAllowed": 1.0})
	}
}

// decided is the rate as it was decided.
type decided run.Throttle

func (d decided) Regulate(context.Context, string, float64) (run.Throttle, error) {
	return run.Throttle(d), nil
}
