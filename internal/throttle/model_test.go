package throttle_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"backfill/internal/signal"
	"backfill/internal/throttle"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// model is a database that makes users wait the more, the nearer the runs come to what it can take beside them.
type model struct {
	able    float64 // rows/s that workers make where nothing limits them
	takes   func(at time.Duration) float64
	noise   float64
	random  *rand.Rand
	read    func(waiters float64) []signal.Reading
	lose    func([]signal.Reading) []signal.Reading // what is left of them; nil: all
	stuck   func(at time.Duration) bool             // workers wait as users do
	smooth  float64                                 // waiters, with some memory
	state   throttle.State
	reasons []string
	rates   []float64 // what was allowed, beat by beat; able where there is no limit
}

func newModel(takes func(at time.Duration) float64) *model {
	return &model{able: 40_000, takes: takes, random: rand.New(rand.NewPCG(1, 2)), read: readings, stuck: never}
}

func never(time.Duration) bool { return false }

func always(rows float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rows }
}

func (m *model) speed() float64 {
	if m.state.Rate == 0 {
		return m.able
	}
	return min(m.able, m.state.Rate)
}

// run lets beats go by.
func (m *model) run(beats int) {
	for range beats {
		at := time.Duration(len(m.rates)) * throttle.Interval
		waiters := 10 * m.speed() / m.takes(at) * (1 + m.noise*m.random.NormFloat64())
		m.smooth = 0.3*m.smooth + 0.7*max(waiters, 0)
		moment := throttle.Moment{Now: noon.Add(at), Speed: m.speed(), Readings: m.read(m.smooth)}
		if m.stuck(at) {
			moment.Speed /= 20
		}
		if m.lose != nil {
			moment.Readings = m.lose(moment.Readings)
		}
		var reason string
		m.state, reason = m.state.Decide(moment)
		m.rates, m.reasons = append(m.rates, m.speed()), append(m.reasons, reason)
	}
}

func readings(waiters float64) []signal.Reading {
	commit := 5.0
	first, _ := signal.Limits{}.Read(signal.LockWaiters, "", &waiters)
	second, _ := signal.Limits{}.Read(signal.CommitTime, "", &commit)
	return []signal.Reading{first, second}
}

// swing is the mean and the spread of the rates from that beat on, in parts of the mean.
func (m *model) swing(from int) (mean, spread float64) {
	rates := m.rates[from:]
	for _, rate := range rates {
		mean += rate / float64(len(rates))
	}
	for _, rate := range rates {
		spread += (rate/mean - 1) * (rate/mean - 1) / float64(len(rates))
	}
	return mean, math.Sqrt(spread)
}

func TestItComesToRestBelowWhatTheDatabaseTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ takes, noise, spread float64 }{
		"a quarter of it": {10_000, 0, 0.01}, "nearly all": {38_000, 0, 0.01}, "very little": {1000, 0, 0.05},
		"with noise": {10_000, 0.1, 0.12}, "with much noise": {10_000, 0.25, 0.25},
	} {
		m := newModel(always(c.takes))
		m.noise = c.noise
		m.run(300)
		if mean, spread := m.swing(60); mean > c.takes || mean < 0.45*c.takes || spread > c.spread {
			t.Errorf("%s: %.0f rows/s of %.0f, spread %.3f: %.0f", name, mean, c.takes, spread, m.rates[:60])
		}
	}
}

// TestADatabaseThatTakesAllIsNotLimited.
func TestADatabaseThatTakesAllIsNotLimited(t *testing.T) {
	t.Parallel()
	m := newModel(always(100_000))
	m.run(50)
	if m.state.Rate != 0 || m.reasons[49] != "" {
		t.Fatalf("%+v %s", m.state, m.reasons[49])
	}
}

// TestItFollowsADisturbance: a long lock, 40 s, which does not depend on what the runs do. Speed falls within two beats, and is
// back to nine tenths within 30 s after it; at last there is no limit again.
func TestItFollowsADisturbance(t *testing.T) {
	t.Parallel()
	const begins, ends = 60, 80
	m := newModel(func(at time.Duration) float64 {
		if beat := int(at / throttle.Interval); beat >= begins && beat < ends {
			return 50
		}
		return 100_000
	})
	m.run(ends + 60)
	if m.rates[begins-1] != 40_000 || m.rates[begins+1] > 0.6*40_000 || m.rates[begins+15] > 0.1*40_000 {
		t.Errorf("it falls too late: %.0f", m.rates[begins-1:ends])
	}
	if back := m.rates[ends+15]; back < 0.9*40_000 {
		t.Errorf("30 s after it the rate is %.0f: %.0f", back, m.rates[ends:])
	}
	if m.state.Rate != 0 {
		t.Errorf("it stays limited: %+v", m.state)
	}
}

// TestItIsBackAtTheSpeedBeforeALockThatStoppedWorkers, too: what they made while they waited is not what it was before. A beat
// less than 30 s after the lock it is at nine tenths.
func TestItIsBackAtTheSpeedBeforeALockThatStoppedWorkers(t *testing.T) {
	t.Parallel()
	for _, waits := range []int{0, 1, 3} { // beats until users wait, too
		m := newModel(nil)
		m.stuck = func(at time.Duration) bool { beat := int(at / throttle.Interval); return beat >= 20 && beat < 30 }
		m.takes = func(at time.Duration) float64 {
			if beat := int(at / throttle.Interval); beat >= 20+waits && beat < 30 {
				return 50
			}
			return 100_000
		}
		m.run(60)
		if slow, back := m.rates[29], m.rates[30+14]; slow > 2000 || back < 0.9*40_000 {
			t.Errorf("users wait after %d beats: %.0f rows/s at its end, %.0f after 28 s: %.0f", waits, slow, back, m.rates[18:])
		}
	}
}

// TestItFollowsARamp down and up again, and never stays above it for longer than a cut needs to show.
func TestItFollowsARamp(t *testing.T) {
	t.Parallel()
	m := newModel(func(at time.Duration) float64 {
		return 5000 + 35_000*math.Abs(1-at.Seconds()/300)
	})
	above := 0
	for beat := range 300 {
		m.run(1)
		if m.rates[beat] > 1.05*m.takes(time.Duration(beat)*throttle.Interval) {
			if above++; above > 4 {
				t.Fatalf("beat %d: %.0f rows/s for more than %d beats", beat, m.rates[beat], above)
			}
		} else {
			above = 0
		}
	}
	if last := m.rates[299]; last < 0.6*40_000 {
		t.Errorf("after the ramp it is at %.0f", last)
	}
}

// TestDeadSignalsNeverMakeItFaster: cut off for a minute, at each point of a disturbance.
func TestDeadSignalsNeverMakeItFaster(t *testing.T) {
	t.Parallel()
	for cut := range 90 {
		m := newModel(func(at time.Duration) float64 {
			if beat := int(at / throttle.Interval); beat >= 20 && beat < 40 {
				return 2000
			}
			return 45_000
		})
		m.run(cut)
		m.lose = func([]signal.Reading) []signal.Reading { return nil }
		before := m.speed()
		m.run(1)
		m.able = 80_000 // more workers come
		m.run(30)
		for _, rate := range m.rates[cut:] {
			if cut > 0 && rate > before {
				t.Fatalf("cut off at beat %d it went from %.0f to %.0f rows/s", cut, before, rate)
			}
		}
		m.run(200)
		if cut > 0 && m.speed() > before/2 && before > 4000 {
			t.Fatalf("cut off at beat %d it still makes %.0f rows/s of %.0f after 7 min", cut, m.speed(), before)
		}
	}
}
