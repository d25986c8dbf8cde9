// Package throttle decides how fast all runs of a database may go together.
//
// It owns the control law: additive increase, multiplicative decrease, by how near the signals are to their limits. It leaves
// reading them to probe, keeping the state and sharing the rate out to ledger, and when to decide to governor. It is pure; the
// time is the database's. Invariants: a rate never rises while a signal is near its limit, lost, or late; it changes by no
// more than a half at once; it never falls below a floor, so every run gets on.
package throttle

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"backfill/internal/figure"
	"backfill/internal/signal"
)

const (
	// Interval is between two decisions: what a decision does is seen in the signals by then.
	Interval = 2 * time.Second
	// coolDown is between two cuts, and settle before the first rise after one: batches that were reserved before the cut are still
	// at work, and users who queued up go first.
	coolDown, settle = 4 * time.Second, 6 * time.Second
	// Calm is the part of its limit below which a signal lets the rate rise. Between it and the limit it is held, so that the
	// rate comes to rest there and does not swing.
	Calm = 0.8
	// deepest and mildest bound a cut.
	deepest, mildest = 0.5, 0.9
	// rise is a step up, in parts of the speed before the trouble: from the floor back to nine tenths of it in eight steps, 16 s. Near the rate
	// at which trouble came, and for as long as careful, it is a quarter of that, as where a signal may not be read.
	rise, near, careful = 0.125, 0.9, 2 * time.Minute
	// fading is how much of the usual speed a beat leaves, where the run is slower by itself: half of it after half a minute.
	fading = 0.95
	// slowest is the floor, in rows/s.
	slowest = 100
	// beyond is how far above the speed before the trouble the limit is lifted, where nobody uses it up.
	beyond, used = 1.25, 0.8
	// forgotten is how long a signal is missed that is not there any more: a standby that is gone for good. Where nothing at all is
	// read the rate falls each time after so long.
	forgotten = time.Minute
)

// State is what is kept from one decision to the next.
type State struct {
	Rate   float64              `json:"rate"`   // rows/s; 0: no limit
	Usual  float64              `json:"usual"`  // the speed of late, while there was no limit and no trouble
	Peak   float64              `json:"peak"`   // the speed before the trouble
	Failed float64              `json:"failed"` // the rate at which trouble came while it rose
	Rising bool                 `json:"rising"` // the last change was up, or there was none
	Cut    time.Time            `json:"cut"`    // the last one
	Seen   map[string]time.Time `json:"seen"`   // when each signal with a limit was read last
}

// Moment is what is known when a decision is due.
type Moment struct {
	Now      time.Time
	Speed    float64 // rows/s that all runs make
	Readings []signal.Reading
}

// Forget has signals that are asked for no more not be missed.
func (s State) Forget(asked func(key string) bool) {
	maps.DeleteFunc(s.Seen, func(key string, _ time.Time) bool { return !asked(key) })
}

// Decide gives the next state, and the reason of its rate; "" where there is no limit and nothing to say.
func (s State) Decide(m Moment) (State, string) {
	worst, denied := worst(m.Readings)
	missed := s.missed(m)
	s.Seen = s.see(m)
	switch {
	case worst.Pressure() > 1 && m.Now.Sub(s.Cut) < coolDown:
		return s, s.held(worst.String() + "; the last cut has yet to show")
	case worst.Pressure() > 1:
		return s.cut(m, worst)
	case missed != "":
		s = s.freeze(m)
		return s, s.held(missed)
	case worst.Pressure() > Calm:
		return s, s.held(worst.String())
	case s.Rate == 0:
		s.Usual = max(m.Speed, s.Usual*fading)
		return s, ""
	case m.Now.Sub(s.Cut) < settle:
		return s, s.held("the last cut has yet to show")
	}
	return s.raise(m, denied)
}

// cut goes down by how far the signal is above its limit. A first cut begins at the speed of now: workers may be stuck as users
// are. What it was before is what the rate is raised to again.
func (s State) cut(m Moment, why signal.Reading) (State, string) {
	from, before := s.Rate, s.Rate
	if from == 0 {
		from = max(m.Speed, slowest)
		before = max(from, s.Usual)
	}
	if s.Rate == 0 || s.Rising {
		s.Failed = before
	}
	if s.Rate == 0 || before > s.Peak*near {
		s.Peak = before
	}
	s.Rate = max(from*min(max(0.95/why.Pressure(), deepest), mildest), slowest)
	s.Cut, s.Rising = m.Now, false
	return s, "slowed to " + s.speed() + ": " + why.String()
}

// raise goes up by a step, or lifts a limit that nobody reaches.
func (s State) raise(m Moment, denied string) (State, string) {
	step := max(rise*s.Peak, slowest/2)
	if denied != "" || s.Rate+step > s.Failed*near && m.Now.Sub(s.Cut) < careful {
		step /= 4
	}
	s.Rate, s.Rising = s.Rate+step, true
	why := "all signals are well below their limits"
	if denied != "" {
		why = "slowly, since " + denied + " may not be read"
	}
	if s.Rate > s.Peak*beyond {
		if m.Speed < s.Rate*used {
			return State{Seen: s.Seen, Rising: true}, ""
		}
		s.Peak = s.Rate / beyond
	}
	return s, "rising, " + s.speed() + ": " + why
}

// freeze keeps a run without a limit from going faster than it does. Where nothing at all is read it gets slower.
func (s State) freeze(m Moment) State {
	if s.Rate == 0 {
		s.Rate = max(m.Speed, slowest)
		s.Peak, s.Rising = max(s.Peak, s.Rate, s.Usual), false
	}
	if len(m.Readings) == 0 && m.Now.Sub(s.heard()) > forgotten && m.Now.Sub(s.Cut) > coolDown {
		s.Rate, s.Cut, s.Rising = max(s.Rate*mildest, slowest), m.Now, false
	}
	return s
}

// heard is when anything was read last.
func (s State) heard() (at time.Time) {
	for _, seen := range s.Seen {
		if seen.After(at) {
			at = seen
		}
	}
	return at
}

// missed is what was read and is not now, or only late: for as long as it is asked for, or for a minute where it is not there any
// more. "": nothing.
func (s State) missed(m Moment) string {
	if len(m.Readings) == 0 && (s.Rate > 0 || len(s.Seen) > 0) {
		return "no signal can be read"
	}
	now := map[string]signal.Reading{}
	for _, r := range m.Readings {
		now[r.Key()] = r
	}
	for _, key := range slices.Sorted(maps.Keys(s.Seen)) {
		r, there := now[key]
		switch {
		case there && r.Value == nil && r.Limit != nil:
			return r.String() + "; it was read before"
		case there && r.Limit != nil && !r.Fresh():
			return fmt.Sprintf("%s is read %.1f s late", key, r.Age)
		case !there && m.Now.Sub(s.Seen[key]) <= forgotten:
			return key + " is not read any more"
		}
	}
	return ""
}

// see notes what is read now, and forgets what is gone for good.
func (s State) see(m Moment) map[string]time.Time {
	seen, there := maps.Clone(s.Seen), map[string]bool{}
	if seen == nil {
		seen = map[string]time.Time{}
	}
	for _, r := range m.Readings {
		there[r.Key()] = true
		if r.Fresh() && r.Limit != nil {
			seen[r.Key()] = m.Now
		}
	}
	if len(m.Readings) > 0 {
		maps.DeleteFunc(seen, func(key string, at time.Time) bool { return !there[key] && m.Now.Sub(at) > forgotten })
	}
	return seen
}

// worst is the reading that is nearest to its limit, and the name of one that may not be read.
func worst(readings []signal.Reading) (worst signal.Reading, denied string) {
	for _, r := range readings {
		if r.Pressure() > worst.Pressure() {
			worst = r
		}
		if r.Value == nil && r.Limit != nil && denied == "" {
			denied = string(r.Name)
		}
	}
	return worst, denied
}

func (s State) held(why string) string {
	if s.Rate == 0 {
		return ""
	}
	return "held at " + s.speed() + ": " + why
}

func (s State) speed() string { return fmt.Sprintf("%s rows/s", figure.Count(int64(s.Rate))) }
