package planner

import (
	"context"

	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/request"
	"backfill/internal/turn"
)

// verify opens the chunks once more and leaves the rest to the governor: the ledger is the plan.
func (p *Planner) verify(ctx context.Context, asked request.Request, execution string) (turn.Turn, error) {
	if err := p.mayVerify(ctx, asked.Run, execution); err != nil {
		return turn.Turn{}, err
	}
	stored, err := p.Ledger.Verify(ctx, asked.Run, execution, asked.Write == nil || *asked.Write)
	if err != nil {
		return turn.Turn{}, err
	}
	return p.reopened(ctx, stored)
}

// mayVerify refuses a run whose column a newer one has written: its rows would be those that deviate, and would be written over.
func (p *Planner) mayVerify(ctx context.Context, id, execution string) error {
	stored, err := p.Ledger.Run(ctx, id)
	if err != nil || stored.Execution == execution {
		return err
	}
	if values, _ := stored.Change.Verifies(); !values {
		return nil
	}
	newer, column, err := p.newer(ctx, stored, overwritten)
	if err != nil || column == "" {
		return err
	}
	return failure.New(failure.Invalid, "run %s is newer and wrote %s of column %s: they do not hold what run %s wrote, and are right. "+
		"Verify the newer one, `backfill verify %s`", newer.Run, figure.Plural(newer.Written, "row", "rows"), column, id, newer.Run)
}
