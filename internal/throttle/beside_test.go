package throttle_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"backfill/internal/throttle"

	"pgregory.net/rapid"
)

// database is a model that changes with time: how many rows/s the workers of all its runs make, and what it takes.
type database struct {
	able   func(beat int) float64 // rows/s of its workers where nothing limits them
	takes  float64
	noise  float64
	random *rand.Rand
	state  throttle.State
	speed  []float64
	cuts   int
	smooth float64
}

func (d *database) now(beat int) float64 {
	if d.state.Rate == 0 {
		return d.able(beat)
	}
	return min(d.able(beat), d.state.Rate)
}

// run lets beats go by.
func (d *database) run(beats int) {
	for range beats {
		beat := len(d.speed)
		speed, before := d.now(beat), d.state.Rate
		waiters := 10 * speed / d.takes
		if d.noise > 0 {
			waiters *= 1 + d.noise*d.random.NormFloat64()
		}
		d.smooth = 0.3*d.smooth + 0.7*max(waiters, 0)
		d.state, _ = d.state.Decide(throttle.Moment{Now: noon.Add(time.Duration(beat) * throttle.Interval), Speed: speed, Readings: readings(d.smooth)})
		d.speed = append(d.speed, speed)
		if d.state.Rate > 0 && (before == 0 || d.state.Rate < before) {
			d.cuts++
		}
	}
}

// mean is the speed of a database over its last beats.
func (d *database) mean(beats int) (mean float64) {
	for _, speed := range d.speed[len(d.speed)-beats:] {
		mean += speed / float64(beats)
	}
	return mean
}

func constantly(rows float64) func(int) float64 { return func(int) float64 { return rows } }

// TestASecondRunBeside comes and goes: the law is of all runs of the database, so that it sees the sum. It comes to rest with both, and
// leaves the first alone again when the second is over.
func TestASecondRunBeside(t *testing.T) {
	t.Parallel()
	const comes, goes = 60, 180
	d := &database{able: func(beat int) float64 {
		if beat >= comes && beat < goes {
			return 6000 + 30_000
		}
		return 6000
	}}
	d.takes = 10_000
	d.run(comes)
	if d.cuts > 0 || d.state.Rate != 0 {
		t.Errorf("it is slowed alone: %+v", d.state)
	}
	d.run(goes - comes)
	if got := d.mean(60); got > d.takes || got < 0.6*d.takes {
		t.Errorf("beside the second %.0f rows/s of %.0f", got, d.takes)
	}
	if d.cuts > 12 {
		t.Errorf("it swings: %d cuts in 4 min", d.cuts)
	}
	d.run(60)
	if got := d.mean(10); got != 6000 {
		t.Errorf("after it %.0f rows/s", got)
	}
}

// TestItFollowsSteps up and down: soon below what the database takes, and back near it.
func TestItFollowsSteps(t *testing.T) {
	t.Parallel()
	for name, noise := range map[string]float64{"still": 0, "with noise": 0.1} {
		d := &database{able: constantly(40_000), noise: noise, random: rand.New(rand.NewPCG(5, 6))}
		for i, takes := range []float64{10_000, 40_000, 5000, 20_000, 2000, 20_000} {
			d.takes = takes
			d.run(15) // 30 s
			if got := d.now(len(d.speed)); got > 1.1*takes {
				t.Errorf("%s, step %d: %.0f rows/s of %.0f after 30 s", name, i, got, takes)
			}
			d.run(105)
			if got := d.mean(30); got < 0.5*takes || got > takes {
				t.Errorf("%s, step %d: %.0f rows/s of %.0f after 4 min", name, i, got, takes)
			}
		}
	}
}

// TestItComesToRestWhateverTheDatabaseTakes: near what it takes, without swinging; where signals are noisy, a cut each 10 s at most.
func TestItComesToRestWhateverTheDatabaseTakes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		able := rapid.Float64Range(1000, 100_000).Draw(t, "able")
		d := &database{
			able: constantly(able), takes: able * rapid.Float64Range(0.1, 2).Draw(t, "takes"), noise: rapid.Float64Range(0, 0.1).Draw(t, "noise"),
			random: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)),
		}
		d.run(100)
		cuts := d.cuts
		d.run(200)
		got, most := d.mean(200), min(able, d.takes)
		if got > 1.05*d.takes+50 || got < 0.45*most {
			t.Fatalf("%.0f rows/s, of %.0f that it takes and %.0f that workers make", got, d.takes, able)
		}
		if d.cuts-cuts > 40 {
			t.Fatalf("%d cuts in 200 beats at %.0f of %.0f rows/s", d.cuts-cuts, got, d.takes)
		}
	})
}
