package forecast

import (
	"math"
	"testing"
	"time"

	"backfill/internal/run"

	"pgregory.net/rapid"
)

func TestARateFollowsAChangeWithinAMinute(t *testing.T) {
	rate := 100_000.0
	for range 30 {
		rate = Rate(rate, 20_000, 2*time.Second, time.Hour)
	}
	if math.Abs(rate-10_000) > 6_000 {
		t.Fatalf("a minute after the speed fell to 10,000 rows/s the rate is %.0f", rate)
	}
}

func TestARateIsBetweenBeforeAndNow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.Float64Range(0.001, 1e7).Draw(t, "before")
		scanned := rapid.Int64Range(0, 1e8).Draw(t, "scanned")
		since := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "since"))
		now := float64(scanned) / since.Seconds()
		got := Rate(before, scanned, since, since+time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "earlier")))
		if slack := 1e-6 * (before + now); got < min(before, now)-slack || got > max(before, now)+slack {
			t.Fatalf("%v is not between %v and %v", got, before, now)
		}
	})
}

func TestETA(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		status run.Status
		want   time.Duration // 0: none
	}{
		"by the catalog": {run.Status{State: run.Running, Rate: 100, Rows: run.Rows{Estimated: 10_000, Scanned: 4_000}}, time.Minute},
		"by the plan": {run.Status{
			State: run.Running, Rate: 100, Rows: run.Rows{Estimated: 0, Scanned: 4_000},
			Chunks: run.Chunks{Total: 10, Completed: 4, AllPlanned: true},
		}, time.Minute},
		"without a rate": {run.Status{Rows: run.Rows{Estimated: 10_000}}, 0},
		"of a run that moves": {run.Status{
			State: run.Running, Rate: 3, StartedAt: now.Add(-100 * time.Second), Rows: run.Rows{Estimated: 10_180, Scanned: 10_000},
		}, time.Minute},
		"of a run that does not move any more": {run.Status{
			State: run.Running, Rate: 1, StartedAt: now.Add(-100 * time.Second), Rows: run.Rows{Estimated: 10_180, Scanned: 10_000},
		}, 0},
		"beyond the estimate":    {run.Status{State: run.Running, Rate: 100, Rows: run.Rows{Estimated: 10, Scanned: 4_000}}, 0},
		"of a run that waits":    {run.Status{State: run.Running, Rate: 100, Rows: run.Rows{Estimated: 10_000}, Canary: &run.Canary{}}, 0},
		"of a run that is ended": {run.Status{State: run.Completed, Rate: 100, Rows: run.Rows{Estimated: 10_000}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, spread := ETA(c.status, c.status.Chunks.Completed*1000, now)
			if spread != nil {
				t.Fatalf("a spread of %v, and nothing is known of the average", spread)
			}
			if (got == nil) != (c.want == 0) || got != nil && got.Sub(now) != c.want {
				t.Fatalf("got %v, want in %v", got, c.want)
			}
		})
	}
}

func TestTheSpreadIsBetweenNowAndTheAverage(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct{ rate, average, eta, from, to float64 }{
		{100, 50, 60, 60, 120},
		{50, 100, 120, 60, 120},
		{100, 100, 60, 60, 60},
	} {
		eta, spread := ETA(run.Status{State: run.Running, Rate: c.rate, Average: c.average, Rows: run.Rows{Estimated: 10_000, Scanned: 4_000}}, 0, now)
		if eta.Sub(now).Seconds() != c.eta || spread.From.Sub(now).Seconds() != c.from || spread.To.Sub(now).Seconds() != c.to {
			t.Errorf("%+v: %v, %v", c, eta, spread)
		}
	}
}

// TestTheAverageForgetsSlowly: a minute of another speed moves it less than the rate, and it is the mean of a steady run.
func TestTheAverageForgetsSlowly(t *testing.T) {
	rate, average := 0.0, 0.0
	for at := 2 * time.Second; at < 10*time.Minute; at += 2 * time.Second {
		rows := int64(20_000)
		if at > 9*time.Minute {
			rows = 2_000
		}
		rate, average = Rate(rate, rows, 2*time.Second, at), Average(average, rows, 2*time.Second, at)
		if at == 9*time.Minute && math.Abs(average-10_000) > 1 {
			t.Fatalf("10,000 rows/s have an average of %.0f", average)
		}
	}
	if rate > 2_000 || average < 8_000 || average > 9_500 {
		t.Fatalf("after a minute at a tenth the rate is %.0f, the average %.0f", rate, average)
	}
}

// TestNothingIsHandledInABreak: the first sample after it is of the time since it was over, and so is what is told in its first second.
func TestNothingIsHandledInABreak(t *testing.T) {
	for age, want := range map[time.Duration]float64{4 * time.Second: 50, 10 * time.Millisecond: 200} {
		if got := Rate(0, 200, time.Hour, age); got != want {
			t.Errorf("%v after an hour's pause 200 rows are %.2f rows/s, want %.0f", age, got, want)
		}
	}
}
