package throttle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/signal"
	"backfill/internal/throttle"
)

// limited are limits of all signals, those that have none by default as well.
var limited = signal.Limits{signal.Running: 4, signal.Horizon: 600, signal.Autovacuum: 3}

// calmly are readings of all signals and of a metric, far below their limits, with the waiters of the model.
func calmly(waiters float64) []signal.Reading {
	var all []signal.Reading
	for _, name := range signal.Names() {
		value := 0.0
		if name == signal.LockWaiters {
			value = waiters
		}
		of := map[signal.Name]string{signal.ReplicaBytes: "eu", signal.ReplicaTime: "eu", signal.SlotBytes: "cdc", signal.Alarm: "disk"}[name]
		r, _ := limited.Read(name, of, &value)
		all = append(all, r)
	}
	return append(all, signal.Metric{Name: "queue_depth", Limit: 100}.Read(new(float64), ""))
}

// ways are those in which a signal gets lost.
var ways = map[string]func(readings []signal.Reading, i int) []signal.Reading{
	"is not there": func(readings []signal.Reading, i int) []signal.Reading { return slices.Delete(readings, i, i+1) },
	"is missing": func(readings []signal.Reading, i int) []signal.Reading {
		readings[i].Value, readings[i].Missing = nil, "no answer"
		return readings
	},
	"is late": func(readings []signal.Reading, i int) []signal.Reading {
		readings[i].Value, readings[i].Age = new(float64), 16 // as all was well before the trouble
		return readings
	},
	"is alone": func(readings []signal.Reading, i int) []signal.Reading { return readings[i : i+1] },
	"and all":  func([]signal.Reading, int) []signal.Reading { return nil },
	"are null": func(readings []signal.Reading, _ int) []signal.Reading {
		for i := range readings {
			readings[i].Value, readings[i].Missing = nil, "no answer"
		}
		return readings
	},
}

// TestEachSignalLostForAMinute, in each way, and at each point of a disturbance, never makes it faster than it was; and where
// nothing is lost it does get faster, so the loss is what holds it.
func TestEachSignalLostForAMinute(t *testing.T) {
	t.Parallel()
	const minute = 30
	for way, lose := range ways {
		for i, lost := range calmly(0) {
			held := 0
			for cut := 1; cut < 70; cut += 7 {
				m, whole := disturbed(cut), disturbed(cut)
				before := max(m.speed(), m.state.Rate) // what was allowed, or made without a limit
				m.lose = func(readings []signal.Reading) []signal.Reading { return lose(readings, i) }
				for beat := range minute {
					m.run(1)
					whole.run(1)
					if beat == 0 { // it is noticed, then more workers come
						m.able, whole.able = 80_000, 80_000
					}
				}
				if fastest := slices.Max(m.rates[cut:]); fastest > before {
					t.Fatalf("%s %s at beat %d: from %.0f to %.0f rows/s: %q", lost.Key(), way, cut, before, fastest, m.reasons[cut:])
				}
				if slices.Max(whole.rates[cut:]) > before {
					held++
				}
			}
			if held < 4 {
				t.Errorf("%s %s: only %d times there was something to hold", lost.Key(), way, held)
			}
		}
	}
}

// disturbed is a model in the middle of a disturbance, or before or after it.
func disturbed(beats int) *model {
	m := newModel(func(at time.Duration) float64 {
		if beat := int(at / throttle.Interval); beat >= 20 && beat < 40 {
			return 2000
		}
		return 90_000
	})
	m.read = calmly
	m.run(beats)
	return m
}

// TestASignalThatComesAgain lets the rate rise; what is asked for and gives nothing holds it for longer than a minute.
func TestASignalThatComesAgain(t *testing.T) {
	t.Parallel()
	m := disturbed(50)
	before := m.speed()
	m.lose = func(readings []signal.Reading) []signal.Reading { return ways["is missing"](readings, len(readings)-1) }
	m.run(300)
	if m.speed() != before || !strings.HasSuffix(m.reasons[349], " rows/s: queue_depth: no answer; it was read before") {
		t.Fatalf("%.0f rows/s, %.0f before, %s", m.speed(), before, m.reasons[349])
	}
	m.lose = nil
	m.run(30)
	if m.speed() <= before {
		t.Fatal(m.reasons[350:])
	}
}
