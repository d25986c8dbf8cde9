package report

import (
	"math"
	"time"

	"backfill/internal/run"
)

// Foretold is a figure that was estimated, and what came of it.
type Foretold struct {
	What  string     `json:"what"`
	At    *time.Time `json:"at"`   // when it was estimated
	Unit  string     `json:"unit"` // rows, or s
	Value int64      `json:"value"`
	From  *int64     `json:"from"` // its bounds; null: there were none
	To    *int64     `json:"to"`
	Came  *int64     `json:"came"` // null: not known, or not yet
}

// shares of the time at which the estimated end is looked at.
var shares = []struct {
	part float64
	name string
}{{0.1, "a tenth"}, {0.25, "a quarter"}, {0.5, "half"}, {0.75, "three quarters"}}

// foretold lists what was estimated: by the catalog, by the canary, and of the end while the run went on.
func (r Report) foretold() []Foretold {
	list := []Foretold{}
	came := func(n int64) *int64 {
		if r.State != run.Completed {
			return nil
		}
		return &n
	}
	if r.Rows.Estimated > 0 {
		list = append(list, Foretold{What: "rows to look at, by the catalog", At: &r.StartedAt, Unit: "rows", Value: r.Rows.Estimated, Came: came(r.Rows.Scanned)})
	}
	if r.Canary != nil && r.Canary.Forecast != nil {
		f := r.Canary.Forecast
		for _, each := range []struct {
			what, unit string
			told       *run.Range
			came       float64
		}{
			{"rows to write after the canary", "rows", f.Rows, float64(r.Rows.Affected - f.Written)},
			{"time after the canary, without pauses", "s", f.Seconds, moving(r.Points, f.At, r.until())},
		} {
			if t := each.told; t != nil {
				list = append(list, Foretold{What: each.what, At: &f.At, Unit: each.unit, Value: t.Value, From: &t.From, To: &t.To, Came: came(int64(math.Round(each.came)))})
			}
		}
	}
	return append(list, r.ends(came)...)
}

// ends looks at the estimated end at some moments of the run.
func (r Report) ends(came func(int64) *int64) (list []Foretold) {
	if r.EndedAt == nil {
		return nil
	}
	for _, share := range shares {
		at := r.StartedAt.Add(time.Duration(share.part * float64(r.EndedAt.Sub(r.StartedAt))))
		for _, p := range r.Points {
			if p.At.Before(at) || p.EndsAt == nil {
				continue
			}
			list = append(list, Foretold{What: "time to the end, after " + share.name + " of it", At: &p.At, Unit: "s",
				Value: int64(math.Round(p.EndsAt.Sub(p.At).Seconds())), Came: came(int64(math.Round(r.EndedAt.Sub(p.At).Seconds())))})
			break
		}
	}
	return list
}
