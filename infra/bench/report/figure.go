// Package report turns what was measured into medians of ratios, for people and for programs.
//
// It owns the arithmetic and both forms, Markdown and JSON. It leaves measuring to contest. Invariant: a ratio is one of
// two figures of the same round, on the same server, over the same table; what has no partner has no ratio.
package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"backfill/infra/bench/contender"
	"backfill/infra/bench/ground"
	"backfill/infra/bench/meter"
	"backfill/infra/bench/users"
)

// Figure is one piece of work, measured once.
type Figure struct {
	Section
	Round int    `json:"round"`
	Leg   string `json:"leg"`
	meter.Cost
	contender.Notes
	Users *users.Seen `json:"users,omitempty"`
}

// Section is what figures have in common that are compared with each other.
type Section struct {
	Server string `json:"server"`
	Rows   int64  `json:"rows"`
	Task   string `json:"task"`
	Beside bool   `json:"beside_users"`
	// Planning: no row is written.
	Planning bool `json:"planning,omitempty"`
}

// sections in the order of the report, with their figures.
func sections(figures []Figure) (names []Section, of map[Section][]Figure) {
	of = map[Section][]Figure{}
	for _, f := range figures {
		of[f.Section] = append(of[f.Section], f)
	}
	return slices.SortedFunc(maps.Keys(of), Section.compare), of
}

func (s Section) compare(other Section) int {
	kind := func(s Section) int { return map[bool]int{true: 1}[s.Beside] + map[bool]int{true: 2}[s.Planning] }
	task := func(s Section) int {
		return slices.IndexFunc(ground.Tasks, func(t ground.Task) bool { return t.Name == s.Task })
	}
	return cmp.Or(cmp.Compare(s.Rows, other.Rows), kind(s)-kind(other), strings.Compare(s.Server, other.Server), task(s)-task(other))
}

// legs that were measured, in the order of the report.
func legs(figures []Figure) []string {
	var found []string
	for _, leg := range order {
		if slices.ContainsFunc(figures, func(f Figure) bool { return f.Leg == leg }) {
			found = append(found, leg)
		}
	}
	return found
}

var order = []string{
	contender.Idle, contender.Single, contender.Loop, contender.Pgroll, contender.Direct, contender.Again, contender.Alone, contender.Undo,
	contender.Rollback, contender.Deployed, contender.Kept, contender.Restored,
	contender.Walk, contender.Cut, contender.Start,
}
