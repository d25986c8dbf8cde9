package control

import (
	"context"
	"encoding/json"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/run"
)

const (
	// mostRate is more than any database takes.
	mostRate = 1_000_000_000
	// mostWeight keeps the share of the others above nothing.
	mostWeight = 1000
	// mostWorkers is the ceiling of any stack, for all runs of a database together.
	mostWorkers = 1000
)

// Tuning is the input of tune: limits of a run, or the ceiling of the database that all runs share.
type Tuning struct {
	Action   string `json:"action"`
	Run      string `json:"run,omitempty"`
	Database bool   `json:"database,omitempty"`
	Rate     *int64 `json:"rate,omitempty"`    // rows/s; 0: no limit; left out: as it is
	Weight   *int64 `json:"weight,omitempty"`  // of the run beside others; left out: as it is
	Workers  *int64 `json:"workers,omitempty"` // chunks at work at a time; 0: no limit; left out: as it is
	By       string `json:"by,omitempty"`
}

// Tuned is the answer: the limits that hold now.
type Tuned struct {
	Run string `json:"run,omitempty"`
	run.Limits
}

// tune changes limits; workers follow within seconds.
func (c *Control) tune(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Tuning
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if err := asked.check(c.Workers); err != nil {
		return nil, err
	}
	if asked.Run != "" {
		if _, err := c.Ledger.Run(ctx, asked.Run); err != nil {
			return nil, err
		}
	}
	limits, err := c.Ledger.Tune(ctx, asked.Run, ledger.Tuning{Rate: asked.Rate, Weight: asked.Weight, Workers: asked.Workers, By: asked.By})
	if err != nil {
		return nil, err
	}
	return Tuned{Run: asked.Run, Limits: limits}, nil
}

func (t Tuning) check(ceiling int64) error {
	if t.Database { // workers of other stacks may be in it
		ceiling = mostWorkers
	}
	switch {
	case (t.Run != "") == t.Database:
		return failure.New(failure.Invalid, `give either "run" (the run's id) or "database": true`)
	case t.Rate == nil && t.Weight == nil && t.Workers == nil:
		return failure.New(failure.Invalid, `nothing is to be changed: give "rate" (rows/s), "workers", or for a run "weight"; 0 lifts a limit`)
	case t.Workers != nil && (*t.Workers < 0 || *t.Workers > ceiling):
		return failure.New(failure.Invalid, "workers %d is not within 0 (no limit) to %d, which is all there are", *t.Workers, ceiling)
	case t.Database && t.Weight != nil:
		return failure.New(failure.Invalid, `"weight" belongs to a run`)
	case t.Rate != nil && (*t.Rate < 0 || *t.Rate > mostRate):
		return failure.New(failure.Invalid, "rate %d is not within 0 (no limit) to %d rows/s", *t.Rate, mostRate)
	case t.Weight != nil && (*t.Weight < 1 || *t.Weight > mostWeight):
		return failure.New(failure.Invalid, "weight %d is not within 1 to %d", *t.Weight, mostWeight)
	}
	return nil
}
