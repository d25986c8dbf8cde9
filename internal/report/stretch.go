package report

import (
	"math"
	"time"
)

const (
	// shortest time over which a speed is drawn: two samples of a governor may be milliseconds apart, as where a run ends.
	shortest = time.Second
	// mostStretches is how many speeds a picture shows side by side.
	mostStretches = 120
)

// stretch is a time in which the run moved, and the rows that were handled or looked at in it.
type stretch struct {
	from, to time.Time
	rows     int64
}

func (s stretch) speed() float64 { return float64(s.rows) / math.Max(s.to.Sub(s.from).Seconds(), 1e-3) }

// stretches put points together that are too close to be drawn one by one. A rest joins the stretch before it.
func (r Report) stretches() (list []stretch) {
	least := max(shortest, r.until().Sub(r.StartedAt)/mostStretches)
	var open stretch
	end := func() {
		last := len(list) - 1
		switch {
		case open.to.Sub(open.from) >= least, last < 0 && open.to.After(open.from), open.to.After(open.from) && !list[last].to.Equal(open.from):
			list = append(list, open)
		case open.to.After(open.from):
			list[last].to, list[last].rows = open.to, list[last].rows+open.rows
		}
		open = stretch{from: open.to, to: open.to}
	}
	for i, p := range r.Points {
		if i == 0 || !r.Points[i-1].State.Moves() {
			end()
			open = stretch{from: p.At, to: p.At}
			continue
		}
		before := r.Points[i-1]
		open.to, open.rows = p.At, open.rows+max(p.Handled-before.Handled, 0)+max(p.Looked-before.Looked, 0)
		if open.to.Sub(open.from) >= least {
			end()
		}
	}
	end()
	return list
}
