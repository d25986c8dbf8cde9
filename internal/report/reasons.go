package report

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"backfill/internal/failure"
)

// Reason is why the run was not faster, and for how long that held.
type Reason struct {
	Text    string // as it was told last
	Seconds float64
}

// Reasons add up the time by reason, figures left out, the longest first.
func (r Report) Reasons() []Reason {
	var list []Reason
	at := map[string]int{}
	reason := ""
	for i, p := range r.Points {
		if p.Reason != "" {
			reason = p.Reason
		}
		next := r.until()
		if i+1 < len(r.Points) {
			next = r.Points[i+1].At
		}
		if !p.State.Moves() || reason == "" || !next.After(p.At) {
			continue
		}
		key := strings.Map(withoutFigures, reason)
		if _, known := at[key]; !known {
			at[key] = len(list)
			list = append(list, Reason{})
		}
		list[at[key]].Text = reason
		list[at[key]].Seconds += next.Sub(p.At).Round(time.Millisecond).Seconds()
	}
	slices.SortStableFunc(list, func(a, b Reason) int { return int(1000 * (b.Seconds - a.Seconds)) })
	return list[:min(len(list), 20)]
}

func withoutFigures(r rune) rune {
	if unicode.IsDigit(r) || r == '.' || r == ',' {
		return -1
	}
	return r
}

// Why names the SQLSTATE.
func (r Rejects) Why() string { return failure.SQLState(r.SQLState) }
