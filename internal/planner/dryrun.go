package planner

import (
	"context"

	"backfill/internal/request"
	"backfill/internal/turn"
)

// dryRun tells what a run would do. There is no run: nothing is stored, and the schema is neither made nor renewed. Rows are not read
// for a sample, since whoever may look at the execution sees its output.
func (p *Planner) dryRun(ctx context.Context, asked request.Request) (turn.Turn, error) {
	found, err := p.Rehearser.Rehearse(ctx, subjectOf(asked), 0)
	if err != nil {
		return turn.Turn{}, err
	}
	summary := found.Summary()
	return turn.Turn{Next: turn.Dry, DryRun: &summary}, nil
}
