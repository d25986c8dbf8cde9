package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/signal"
)

const (
	// mostRate is more than any database takes.
	mostRate = 1_000_000_000
	// mostWeight keeps the share of the others above nothing.
	mostWeight = 1000
	// leastWAL is what some hundred rows/s write, below which no run goes; mostWAL is more than any disk takes.
	leastWAL, mostWAL = 10_000, 1_000_000_000_000
	// mostWorkers is the ceiling of any stack, for all runs of a database together.
	mostWorkers = 1000
)

// Tuning is the input of tune: limits of a run, or the ceiling of the database that all runs share. Where a stack has several databases, Several takes
// the name of one in place of true, which is each of them.
type Tuning struct {
	Action   string `json:"action"`
	Run      string `json:"run,omitempty"`
	Database bool   `json:"database,omitempty"`
	Rate     *int64 `json:"rate,omitempty"`    // rows/s; 0: no limit; left out: as it is
	Weight   *int64 `json:"weight,omitempty"`  // of the run beside others; left out: as it is
	Workers  *int64 `json:"workers,omitempty"` // chunks at work at a time; 0: no limit; left out: as it is
	// Limits of signals: a number, "off", or "default" for what the definition says. A signal that is left out stays as it is.
	Limits map[signal.Name]any `json:"limits,omitempty"`
	Budget *int64              `json:"error_budget,omitempty"` // rows that may be rejected; -1: what the definition says; left out: as it is
	WAL    *int64              `json:"wal,omitempty"`          // of the database, bytes/s; 0: no limit; left out: as it is
	By     string              `json:"by,omitempty"`
}

// Tuned is the answer: the limits that hold now.
type Tuned struct {
	Run   string    `json:"run,omitempty"`
	State run.State `json:"state,omitempty"` // of a run that has ended
	run.Limits
}

// tune changes limits; workers follow within seconds.
func (c *Control) tune(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Tuning
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	limits, err := asked.limits()
	if err = asked.check(c.Workers, err); err != nil {
		return nil, err
	}
	tuned := Tuned{Run: asked.Run}
	if asked.Run != "" {
		stored, err := c.Ledger.Run(ctx, asked.Run)
		if err != nil {
			return nil, err
		}
		if stored.State.Ended() {
			tuned.State = stored.State
		}
	}
	tuned.Limits, err = c.Ledger.Tune(ctx, asked.Run, ledger.Tuning{Rate: asked.Rate, Weight: asked.Weight, Workers: asked.Workers, Limits: limits, Budget: asked.Budget, WAL: asked.WAL, By: asked.By})
	if err != nil {
		return nil, err
	}
	return tuned, nil
}

func (t Tuning) check(ceiling int64, limits error) error {
	if t.Database { // workers of other stacks may be in it
		ceiling = mostWorkers
	}
	switch {
	case (t.Run != "") == t.Database:
		return failure.New(failure.Invalid, `give either "run" (the run's id) or "database": true`)
	case limits != nil:
		return limits
	case t.WAL != nil && !t.Database:
		return failure.New(failure.Invalid, `"wal" belongs to the database`)
	case t.WAL != nil && *t.WAL != 0 && (*t.WAL < leastWAL || *t.WAL > mostWAL):
		return failure.New(failure.Invalid, "wal %d is not within %d to %d bytes/s, or 0 (no limit)", *t.WAL, leastWAL, int64(mostWAL))
	case t.Rate == nil && t.Workers == nil && t.WAL == nil && !t.own():
		return failure.New(failure.Invalid, `nothing is to be changed: give "rate" (rows/s) or "workers", 0 lifts the limit; for a run "weight", "limits" or "error_budget"; for the database "wal"`)
	case t.Budget != nil && (*t.Budget < -1 || *t.Budget > definition.MaxErrorBudget):
		return failure.New(failure.Invalid, "error_budget %d is not within 0 to %d rows, or -1 for that of the definition", *t.Budget, definition.MaxErrorBudget)
	case t.Workers != nil && (*t.Workers < 0 || *t.Workers > ceiling):
		return failure.New(failure.Invalid, "workers %d is not within 0 (no limit) to %d, which is all there are", *t.Workers, ceiling)
	case t.Database && t.own():
		return failure.New(failure.Invalid, `"weight", "limits" and "error_budget" belong to a run`)
	case t.Rate != nil && (*t.Rate < 0 || *t.Rate > mostRate):
		return failure.New(failure.Invalid, "rate %d is not within 0 (no limit) to %d rows/s", *t.Rate, mostRate)
	case t.Weight != nil && (*t.Weight < 1 || *t.Weight > mostWeight):
		return failure.New(failure.Invalid, "weight %d is not within 1 to %d", *t.Weight, mostWeight)
	}
	return nil
}

// own tells whether something is to be changed that only a run has.
func (t Tuning) own() bool { return t.Weight != nil || len(t.Limits) > 0 || t.Budget != nil }

// limits reads the limits of signals; nil: as in the definition. All problems come together.
func (t Tuning) limits() (map[signal.Name]*float64, error) {
	var problems []string
	var names []string
	for _, name := range signal.Names() {
		names = append(names, string(name))
	}
	limits := map[signal.Name]*float64{}
	for _, name := range slices.Sorted(maps.Keys(t.Limits)) {
		text := fmt.Sprint(t.Limits[name])
		limit, ok := signal.ParseLimit(text)
		switch {
		case !signal.Known(name):
			problems = append(problems, fmt.Sprintf("the signal %q is not known: %s", name, definition.DidYouMean(string(name), names)))
		case text == "default":
			limits[name] = nil
		case ok:
			limits[name] = &limit
		default:
			problems = append(problems, fmt.Sprintf("%s: %q is no limit: a number from 0, off where the signal is only to be shown, or default for what the definition says", name, text))
		}
	}
	if len(problems) > 0 {
		return nil, failure.New(failure.Invalid, "%s", strings.Join(problems, "; "))
	}
	return limits, nil
}
