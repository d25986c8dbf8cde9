// Package report turns what was measured into medians of ratios, for people and for programs.
//
// It owns the arithmetic and both forms, Markdown and JSON. It leaves measuring to contest. Invariant: a ratio is one of
// two figures of the same round, on the same server, over the same table; what has no partner has no ratio. Only users' requests are pooled over
// the rounds.
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
	Round   int    `json:"round"`
	Leg     string `json:"leg"`
	Workers int    `json:"workers,omitempty"` // at a time; 0: that was not for the benchmark to say
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

// work is a leg by so many workers.
type work struct {
	leg     string
	workers int
}

func (f Figure) work() work { return work{leg: f.Leg, workers: f.Workers} }

// works that were measured, in the order of the report.
func works(figures []Figure) []work {
	found := map[work]bool{}
	for _, f := range figures {
		found[f.work()] = true
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b work) int {
		return cmp.Or(slices.Index(order, a.leg)-slices.Index(order, b.leg), a.workers-b.workers)
	})
}

var order = []string{
	contender.Idle, contender.Single, contender.Loop, contender.Pgroll, contender.Direct, contender.Again, contender.Plain, contender.Undo,
	contender.Rollback, contender.Deployed, contender.Kept, contender.Restored,
	contender.Walk, contender.Cut, contender.Start,
}

// pooled has one figure for each work, with the users' requests of all rounds.
func pooled(figures []Figure) (pools []Figure) {
	seen := map[work][]users.Seen{}
	for _, f := range figures {
		if f.Users != nil {
			seen[f.work()] = append(seen[f.work()], *f.Users)
		}
	}
	for w, rounds := range seen {
		all := users.Pooled(rounds)
		pools = append(pools, Figure{Section: figures[0].Section, Leg: w.leg, Workers: w.workers, Users: &all})
	}
	return pools
}
