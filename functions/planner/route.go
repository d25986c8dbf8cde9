package main

import (
	"context"

	"backfill/internal/assembly"
	"backfill/internal/planner"
	"backfill/internal/routing"
	"backfill/internal/turn"
)

// plan has the planner of the database make the step: of the one that the definition names, or in which the run is.
func plan(ctx context.Context, starts routing.Starts, planners *assembly.Several[*planner.Planner], call planner.Call) (turn.Turn, error) {
	find := func() (string, error) { return starts.Asked(ctx, call.Request, call.Name, call.Execution) }
	if call.Run != "" {
		find = func() (string, error) { return starts.Of(ctx, call.Run) }
	}
	database, err := find()
	if err != nil {
		return turn.Turn{}, err
	}
	p, err := planners.For(database)
	if err != nil {
		return turn.Turn{}, err
	}
	return p.Handle(ctx, call)
}
