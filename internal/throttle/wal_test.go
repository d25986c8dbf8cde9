package throttle_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"backfill/internal/throttle"

	"pgregory.net/rapid"
)

// flow is a database that writes WAL for the rows of a run, and for others.
type flow struct {
	able    float64                        // rows/s that workers make where nothing limits them
	perRow  func(at time.Duration) float64 // bytes
	others  float64                        // bytes/s
	ceiling float64
	state   throttle.WAL
	at      time.Duration
	bytes   float64
	rows    int64
	before  float64 // the rate of the beat before: what was reserved is worked off first
}

// run lets beats go by, and gives the WAL/s of all.
func (f *flow) run(beats int) float64 {
	begun := f.bytes
	for range beats {
		rate := f.able
		if f.before > 0 {
			rate = min(rate, f.before)
		}
		f.before = f.state.Rate
		rows := rate * throttle.Interval.Seconds()
		f.at += throttle.Interval
		f.rows += int64(rows)
		f.bytes += rows*f.perRow(f.at) + f.others*throttle.Interval.Seconds()
		f.state = f.state.Decide(throttle.Volume{Now: noon.Add(f.at), Bytes: 1 + f.bytes, Rows: map[string]int64{"run": f.rows}, Ceiling: f.ceiling})
	}
	return (f.bytes - begun) / (float64(beats) * throttle.Interval.Seconds())
}

// TestTheCeilingOfWALIsKept, whatever a row writes: always the same, much in the first of 16 passes, more and less by chance, more and more; beside
// others who write a half of it.
func TestTheCeilingOfWALIsKept(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, f := range map[string]*flow{
		"steady":         {perRow: func(time.Duration) float64 { return 200 }},
		"first passes":   {perRow: func(at time.Duration) float64 { return 200 + 1500*float64(b2i(at.Milliseconds()/2000%8 == 0)) }},
		"by chance":      {perRow: func(time.Duration) float64 { return 200 * math.Exp(random.NormFloat64()/2) }},
		"more and more":  {perRow: func(at time.Duration) float64 { return 200 + at.Seconds() }},
		"beside others":  {perRow: func(time.Duration) float64 { return 200 }, others: 1e6},
		"after a pause":  {perRow: func(time.Duration) float64 { return 200 }, others: 0.5e6},
		"nothing limits": {perRow: func(time.Duration) float64 { return 20 }},
	} {
		f.able, f.ceiling = 40_000, 2e6
		f.run(15)
		if name == "after a pause" {
			f.at += time.Hour
			f.bytes += 3600 * f.others
			f.run(3)
		}
		got := f.run(60)
		if name == "nothing limits" {
			if got != 800_000 || f.state.Rate < f.able {
				t.Errorf("%s: %.0f bytes/s, %+v", name, got, f.state)
			}
			continue
		}
		if got < 0.9*f.ceiling || got > 1.05*f.ceiling {
			t.Errorf("%s: %.0f bytes/s of %.0f; %+v", name, got, f.ceiling, f.state)
		}
	}
}

func b2i(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestOthersWhoWriteMoreThanTheCeilingLeaveTheFloor.
func TestOthersWhoWriteMoreThanTheCeilingLeaveTheFloor(t *testing.T) {
	t.Parallel()
	f := &flow{able: 40_000, ceiling: 2e6, perRow: func(time.Duration) float64 { return 200 }, others: 5e6}
	f.run(60)
	if f.state.Rate != 100 {
		t.Errorf("%+v", f.state)
	}
	f.others = 0
	f.run(30)
	if got := f.run(30); got < 0.9*f.ceiling {
		t.Errorf("after it %.0f bytes/s", got)
	}
}

// TestWALWhateverComes: without a ceiling there is no rate; with one there is, never below the floor, at most twice the one before, and
// what cannot be read never raises it.
func TestWALWhateverComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var state throttle.WAL
		now, bytes, rows := noon, 1.0, map[string]int64{}
		for range rapid.IntRange(1, 40).Draw(t, "beats") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "seconds")) * time.Second)
			bytes += rapid.Float64Range(-1e6, 1e9).Draw(t, "bytes")
			bytes = max(bytes, 1)
			for _, id := range []string{"a", "b"} {
				if rapid.Bool().Draw(t, id) {
					rows[id] += rapid.Int64Range(-10, 1e6).Draw(t, "rows")
				} else {
					delete(rows, id)
				}
			}
			v := throttle.Volume{Now: now, Bytes: bytes, Rows: map[string]int64{}, Ceiling: rapid.SampledFrom([]float64{0, 1e4, 1e9}).Draw(t, "ceiling")}
			for id, n := range rows {
				v.Rows[id] = n
			}
			lost := rapid.IntRange(0, 4).Draw(t, "lost") == 0
			if lost {
				v.Bytes = 0
			}
			before := state.Rate
			state = state.Decide(v)
			switch {
			case math.IsNaN(state.Rate) || math.IsInf(state.Rate, 0), v.Ceiling == 0 && state.Rate != 0, v.Ceiling > 0 && state.Rate < 100:
				t.Fatalf("%+v of %+v", state, v)
			case before > 0 && state.Rate > 2*before, lost && before > 0 && state.Rate > before:
				t.Fatalf("from %f to %f by %+v", before, state.Rate, v)
			}
		}
	})
}
