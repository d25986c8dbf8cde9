package operator

import (
	"time"

	"backfill/internal/figure"
	"backfill/internal/run"
)

// patient is how long figures may stay the same before somebody who watches is told so.
const patient = 30 * time.Second

// news is what a watcher remembers from look to look, so as to say what is new.
type news struct {
	figures  string // those of the last look
	moved    time.Time
	throttle string // the first reason of the speed that was seen
	turned   bool   // it has been another since
}

// look takes in a status, and tells for how long its figures have been the same.
func (n *news) look(status run.Status, figures string, now time.Time) (still time.Duration) {
	if reason := status.Throttle.Reason; n.throttle == "" {
		n.throttle = reason
	} else if reason != "" && reason != n.throttle {
		n.turned = true
	}
	if figures != n.figures {
		n.figures, n.moved = figures, now
	}
	return now.Sub(n.moved)
}

// reason is why, without what the figures say already, and without what was so from the first look on: the usual limit of
// the speed would read as a warning.
func (n *news) reason(status run.Status, now time.Time) string {
	reason := why(status, now)
	if reason == status.Throttle.Reason && !n.turned || status.State == run.RolledBack {
		return ""
	}
	return reason
}

// standstill says that nothing has moved, who is at work, and why; "" before somebody has to be told.
func standstill(status run.Status, still time.Duration, now time.Time) string {
	if still < patient || status.State.Ended() || status.State == run.Paused {
		return ""
	}
	text := "nothing has moved for " + span(still)
	if !unheard(status, now) { // else nobody knows
		text += "; " + workers(status.Concurrency) + " at work"
	}
	if reason := why(status, now); reason != "" {
		text += "; " + reason
	}
	return text
}

// workers counts them, as the beginning of a sentence.
func workers(n int64) string {
	switch n {
	case 0:
		return "no worker is"
	case 1:
		return "1 worker is"
	}
	return figure.Count(n) + " workers are"
}
