package report

import "backfill/infra/bench/contender"

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
	{"undo, CPU over the same run without it", contender.Undo, contender.Direct, cpu},
	{"undo, time over the same run without it", contender.Direct, contender.Undo, speed},
	{"rollback, speed over the run that it takes back", contender.Rollback, contender.Undo, speed},
	{"once more over a table that is right, speed over the first run's", contender.Again, contender.Direct, speed},
	{"pipeline's rollback, speed over the run that it takes back", contender.Restored, contender.Kept, speed},
}

func related(figures []Figure) []Relation {
	var found []Relation
	for _, r := range relations {
		if s := compared(figures, r.leg, r.base, r.compare); s.Rounds > 0 {
			found = append(found, Relation{Name: r.name, Ratio: s})
		}
	}
	return found
}
