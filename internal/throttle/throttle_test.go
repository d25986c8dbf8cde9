package throttle_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/signal"
	"backfill/internal/throttle"

	"pgregory.net/rapid"
)

func read(name signal.Name, value float64) signal.Reading {
	r, _ := signal.Limits{}.Read(name, "", &value)
	return r
}

func denied(name signal.Name) signal.Reading {
	r, _ := signal.Limits{}.Read(name, "", nil)
	r.Missing = "may not be read"
	return r
}

func alarm(value, age float64) signal.Reading {
	r, _ := signal.Limits{}.Read(signal.Alarm, "disk", &value)
	r.Age = age
	return r
}

func TestReasons(t *testing.T) {
	t.Parallel()
	seen := map[string]time.Time{"lock_waiters": noon.Add(-4 * time.Second)}
	slow := read(signal.LockWaiters, 1)
	slow.Age = 3
	for name, c := range map[string]struct {
		state    throttle.State
		readings []signal.Reading
		rate     float64
		reason   string
	}{
		"calm":                    {throttle.State{}, []signal.Reading{read(signal.LockWaiters, 1)}, 0, ""},
		"near, without a limit":   {throttle.State{}, []signal.Reading{read(signal.LockWaiters, 9)}, 0, ""},
		"above":                   {throttle.State{}, []signal.Reading{read(signal.LockWaiters, 19)}, 2500, "slowed to 2,500 rows/s: lock_waiters 19 of 10 sessions"},
		"a little above":          {throttle.State{}, []signal.Reading{read(signal.LockWaiters, 10.1)}, 4500, "slowed to 4,500 rows/s: lock_waiters 10.1 of 10 sessions"},
		"far above":               {throttle.State{}, []signal.Reading{read(signal.LockWaiters, 5000)}, 2500, "slowed to"},
		"near":                    {throttle.State{Rate: 900, Peak: 1000}, []signal.Reading{read(signal.LockWaiters, 9)}, 900, "held at 900 rows/s: lock_waiters 9 of 10"},
		"calm again":              {throttle.State{Rate: 900, Peak: 1000}, []signal.Reading{read(signal.LockWaiters, 1)}, 1025, "rising, 1,025 rows/s: all signals"},
		"near what failed":        {throttle.State{Rate: 900, Peak: 1000, Failed: 1000, Cut: noon.Add(-time.Minute)}, []signal.Reading{read(signal.LockWaiters, 1)}, 931.25, "rising, 931"},
		"one may not be read":     {throttle.State{Rate: 900, Peak: 1000}, []signal.Reading{read(signal.LockWaiters, 1), denied(signal.IOWaits)}, 931.25, "since io_waits may not be read"},
		"the last cut is new":     {throttle.State{Rate: 900, Cut: noon.Add(-3 * time.Second)}, []signal.Reading{read(signal.LockWaiters, 50)}, 900, "held at 900 rows/s: lock_waiters 50 of 10 sessions; the last cut"},
		"and all is calm":         {throttle.State{Rate: 900, Cut: noon.Add(-5 * time.Second)}, []signal.Reading{read(signal.LockWaiters, 1)}, 900, "the last cut has yet to show"},
		"one is gone":             {throttle.State{Rate: 900, Seen: seen}, []signal.Reading{read(signal.CommitTime, 1)}, 900, "held at 900 rows/s: lock_waiters is not read"},
		"one is slow":             {throttle.State{Rate: 900, Seen: seen}, []signal.Reading{slow}, 900, "held at 900 rows/s: lock_waiters is read 3.0 s late"},
		"one gives nothing":       {throttle.State{Rate: 900, Seen: seen}, []signal.Reading{denied(signal.LockWaiters)}, 900, "lock_waiters: may not be read; it was read before"},
		"an alarm":                {throttle.State{}, []signal.Reading{alarm(1, 9)}, 2500, "slowed to 2,500 rows/s: alarm disk is ALARM"},
		"an alarm that is over":   {throttle.State{Rate: 900, Peak: 1000}, []signal.Reading{alarm(0, 9)}, 1025, "rising"},
		"an alarm that is late":   {throttle.State{Rate: 900, Peak: 1000, Seen: map[string]time.Time{"alarm disk": noon}}, []signal.Reading{alarm(0, 16)}, 900, "alarm disk is read 16.0 s late"},
		"one without limit":       {throttle.State{Rate: 900, Peak: 1000, Seen: map[string]time.Time{"x": noon}}, []signal.Reading{{Name: "x", Missing: "gone"}}, 1025, "rising"},
		"all are gone, unlimited": {throttle.State{Seen: seen}, nil, 5000, "held at 5,000 rows/s"},
		"the floor":               {throttle.State{Rate: 110, Peak: 100}, []signal.Reading{read(signal.LockWaiters, 90)}, 100, "slowed to 100"},
		"no limit is needed":      {throttle.State{Rate: 9000, Peak: 7000}, []signal.Reading{read(signal.LockWaiters, 1)}, 0, ""},
	} {
		got, reason := c.state.Decide(throttle.Moment{Now: noon, Speed: 5000, Readings: c.readings})
		if got.Rate-c.rate > 1 || c.rate-got.Rate > 1 || !strings.Contains(reason, c.reason) || c.reason == "" && reason != "" {
			t.Errorf("%s: %.1f %q, want %.0f %q", name, got.Rate, reason, c.rate, c.reason)
		}
	}
}

// TestAStandbyThatIsGoneForGood is missed for a minute, and no longer.
func TestAStandbyThatIsGoneForGood(t *testing.T) {
	t.Parallel()
	state, _ := throttle.State{Rate: 900, Peak: 1000}.Decide(throttle.Moment{Now: noon, Readings: []signal.Reading{read(signal.LockWaiters, 1), read(signal.ReplicaTime, 1)}})
	before := state.Rate
	for at := throttle.Interval; at <= time.Minute; at += throttle.Interval {
		state, _ = state.Decide(throttle.Moment{Now: noon.Add(at), Readings: []signal.Reading{read(signal.LockWaiters, 1)}})
		if state.Rate != before {
			t.Fatalf("after %s: %.0f", at, state.Rate)
		}
	}
	state, _ = state.Decide(throttle.Moment{Now: noon.Add(62 * time.Second), Readings: []signal.Reading{read(signal.LockWaiters, 1)}})
	if state.Rate <= before {
		t.Fatalf("%+v", state)
	}
}

// TestWhateverComes: bounds that hold for each history of readings.
func TestWhateverComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state, now := throttle.State{}, noon
		for range rapid.IntRange(1, 60).Draw(t, "beats") {
			now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
			moment := throttle.Moment{Now: now, Speed: rapid.Float64Range(0, 1e6).Draw(t, "speed")}
			trouble, lost := false, false
			for _, name := range []signal.Name{signal.LockWaiters, signal.CommitTime} {
				switch rapid.IntRange(0, 3).Draw(t, string(name)) {
				case 0:
					lost = true
				default:
					r := read(name, rapid.Float64Range(0, 300).Draw(t, "value"))
					trouble = trouble || r.Pressure() > 0.8
					moment.Readings = append(moment.Readings, r)
				}
			}
			before := state
			state, _ = state.Decide(moment)
			switch {
			case state.Rate != 0 && state.Rate < 100:
				t.Fatalf("below the floor: %+v", state)
			case trouble && faster(before, state), len(moment.Readings) == 0 && faster(before, state):
				t.Fatalf("faster: %+v, from %+v", state, before)
			case lost && before.Seen != nil && faster(before, state) && len(state.Seen) > len(moment.Readings):
				t.Fatalf("faster by a loss: %+v, from %+v", state, before)
			case before.Rate > 0 && state.Rate > 0 && state.Rate < before.Rate*0.5-1e-9 && state.Rate > 100:
				t.Fatalf("too deep a cut: %+v, from %+v", state, before)
			}
		}
	})
}

// faster tells whether more is allowed than before.
func faster(before, after throttle.State) bool {
	return before.Rate != 0 && (after.Rate == 0 || after.Rate > before.Rate)
}
