package report

import (
	"fmt"
	"slices"

	"backfill/infra/bench/contender"
)

// Relation is a ratio of two legs that has a name of its own.
type Relation struct {
	Name  string `json:"name"`
	Ratio Spread `json:"ratio"`
}

var relations = []struct {
	name      string
	leg, base string
	compare   func(f, base Figure) (float64, bool)
}{
	{"worker without undo, speed over the loop's", contender.Direct, contender.Loop, speed},
	{"worker without undo, speed over pgroll's", contender.Direct, contender.Pgroll, speed},
	{"worker without undo, speed over the same without passes", contender.Direct, contender.Plain, speed},
	{"undo, CPU over the same run without it", contender.Undo, contender.Direct, cpu},
	{"undo, time over the same run without it", contender.Direct, contender.Undo, speed},
	{"rollback, speed over the run that it takes back", contender.Rollback, contender.Undo, speed},
	{"once more over a table that is right, speed over the first run's", contender.Again, contender.Direct, speed},
	{"pipeline's rollback, speed over the run that it takes back", contender.Restored, contender.Kept, speed},
}

// related has a relation for each number of workers; it says which, where there are several.
func related(figures []Figure) []Relation {
	done := works(figures)
	crews := slices.DeleteFunc(slices.Clone(done), func(w work) bool { return w.workers == 0 })
	several := slices.ContainsFunc(crews, func(w work) bool { return w.workers != crews[0].workers })
	var found []Relation
	for _, r := range relations {
		for _, of := range done {
			if of.leg != r.leg {
				continue
			}
			name := r.name
			if several && of.workers > 0 {
				name = fmt.Sprintf("workers: %d; %s", of.workers, name)
			}
			if s := compared(figures, of, r.base, r.compare); s.Rounds > 0 {
				found = append(found, Relation{Name: name, Ratio: s})
			}
		}
	}
	return found
}
