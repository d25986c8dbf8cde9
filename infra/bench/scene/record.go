package scene

import (
	"math"
	"time"

	"backfill/infra/bench/report"
	"backfill/infra/bench/users"
)

// Record is what happened.
type Record struct {
	Version    string         `json:"version"`
	Machine    report.Machine `json:"machine"`
	Server     string         `json:"server"`
	Begun      time.Time      `json:"begun"`
	Rows       int64          `json:"rows"`
	Limit      int64          `json:"limit"` // of an operator, rows/s; 0: none
	Workers    int            `json:"workers"`
	Definition string         `json:"definition"`
	Started    float64        `json:"started"` // seconds after the first request of a user
	Idle       users.Seen     `json:"idle"`    // before the run and after it
	Outside    users.Seen     `json:"outside"` // beside the run, outside of disturbances
	Marks      []Mark         `json:"disturbances"`
	Decisions  []Decision     `json:"decisions"`
	Seconds    []Second       `json:"seconds"`
}

// Mark is a disturbance.
type Mark struct {
	Name   string     `json:"name"`
	Why    string     `json:"why"`
	From   float64    `json:"from"`
	To     float64    `json:"to"`
	Beside users.Seen `json:"beside"` // before and after it, up to the next
	During users.Seen `json:"during"`
}

// Decision is another rate.
type Decision struct {
	At     float64  `json:"at"`
	Rate   *float64 `json:"rate"` // what is allowed, by an operator, too; null: no limit
	Reason string   `json:"reason"`
}

// Second is about one second.
type Second struct {
	From    time.Time          `json:"-"`
	To      time.Time          `json:"-"`
	At      float64            `json:"at"`
	Rows    float64            `json:"rows_per_second"`
	Reads   users.Latency      `json:"reads"`
	Updates users.Latency      `json:"updates"`
	Rate    *float64           `json:"rate"`
	Reason  string             `json:"reason"`
	Signals map[string]float64 `json:"signals"`
}

// beat is the governor's interval, in seconds, and enough the part of the speed before that counts as back.
const beat, enough = 2, 0.9

// steady is how many seconds are taken together for a speed: a worker reserves a second's worth at a time.
const steady = 3

// before is the stretch before a disturbance whose mean is the speed before it.
const before = 15

// Figures of a disturbance.
type Figures struct {
	Before  float64 // rows/s
	Decided float64 // seconds until the rate was lowered; NaN: it was not
	Fell    float64 // seconds until fewer than enough rows were done in a beat; NaN: never
	Lowest  float64 // rows/s, in a beat of the disturbance
	Back    float64 // seconds after its end until there were enough again, and stayed for steady seconds; NaN: never
}

// Figures of a disturbance, up to the next.
func (r Record) Figures(number int) Figures {
	m, until := r.Marks[number], math.Inf(1)
	if number+1 < len(r.Marks) {
		until = r.Marks[number+1].From
	}
	f := Figures{Before: r.mean(m.From-before, m.From), Decided: math.NaN(), Fell: math.NaN(), Lowest: math.Inf(1), Back: math.NaN()}
	last := r.unlimited()
	for _, d := range r.Decisions {
		rate := math.Inf(1)
		if d.Rate != nil {
			rate = *d.Rate
		}
		if math.IsNaN(f.Decided) && d.At >= m.From && d.At < m.To && rate < last {
			f.Decided = d.At - m.From
		}
		last = rate
	}
	for _, s := range r.Seconds {
		speed := r.mean(s.At-beat, s.At)
		switch {
		case s.At < m.From+1 || s.At >= until:
		case s.At < m.To:
			f.Lowest = min(f.Lowest, speed)
			if speed < enough*f.Before && math.IsNaN(f.Fell) {
				f.Fell = s.At - m.From
			}
		case math.IsNaN(f.Back) && s.At >= m.To+1 && r.mean(s.At-steady, s.At) >= enough*f.Before:
			f.Back = s.At - m.To
		}
	}
	return f
}

// unlimited is the rate before any decision.
func (r Record) unlimited() float64 {
	if r.Limit > 0 {
		return float64(r.Limit)
	}
	return math.Inf(1)
}

// slack is for seconds that were noted some milliseconds late.
const slack = 0.5

// mean speed of the seconds that ended in a stretch.
func (r Record) mean(from, to float64) float64 {
	from += slack
	var sum, n float64
	for _, s := range r.Seconds {
		if s.At > from && s.At <= to {
			sum, n = sum+s.Rows, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
