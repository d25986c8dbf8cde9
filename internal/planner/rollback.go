package planner

import (
	"context"

	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/request"
	"backfill/internal/turn"
)

// rollBack closes the chunks and leaves the rest to the governor: the ledger is the plan.
func (p *Planner) rollBack(ctx context.Context, asked request.Request, execution string) (turn.Turn, error) {
	chunks, err := request.ParseChunks(asked.Chunks)
	if err != nil {
		return turn.Turn{}, failure.As(failure.Invalid, err)
	}
	if err := p.mayRollBack(ctx, asked.Run, asked.Force); err != nil {
		return turn.Turn{}, err
	}
	stored, err := p.Ledger.Reverse(ctx, asked.Run, execution, chunks)
	if err != nil {
		return turn.Turn{}, err
	}
	return p.reopened(ctx, stored)
}

// mayRollBack refuses what has no undo, and what a newer run stands on.
func (p *Planner) mayRollBack(ctx context.Context, id string, force bool) error {
	stored, err := p.Ledger.Run(ctx, id)
	switch {
	case err != nil:
		return err
	case !stored.Change.Undo:
		return failure.New(failure.Invalid, "run %s kept no undo: its definition says undo: off", id)
	case force:
		return nil
	}
	newer, column, err := p.newer(ctx, stored)
	if err != nil || column == "" {
		return err
	}
	return failure.New(failure.Invalid, "run %s is newer and wrote %s of column %s as well: roll it back first, "+
		"or force this rollback (--force); rows that hold what %s wrote are then left alone and reported", newer.Run,
		figure.Plural(newer.Written, "row", "rows"), column, newer.Run)
}
