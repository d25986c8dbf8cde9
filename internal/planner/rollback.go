package planner

import (
	"context"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/ledger"
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
	newer, effect, err := p.newer(ctx, stored, inTheWay)
	if err != nil || effect == "" {
		return err
	}
	return failure.New(failure.Invalid, "run %s is newer and %s: roll it back first, or force this rollback (--force); "+
		"%s", newer.Run, effect, forced(stored.Change, newer))
}

// inTheWay says what a newer run did to rows that the older one is to give back, "" where it is all the same.
func inTheWay(older change.Change, newer ledger.Later) string {
	rows := figure.Plural(newer.Written, "row", "rows")
	column := shared(older, newer.Change)
	switch {
	case older.Kind.Deletes() && newer.Change.Kind.Deletes(): // other rows
		return ""
	case newer.Change.Kind.Deletes():
		return "deleted " + rows
	case older.Kind.Deletes():
		return "wrote " + rows
	case column != "":
		return fmt.Sprintf("wrote %s of column %s as well", rows, column)
	}
	return ""
}

// forced says what becomes of what the newer run did, where the older is rolled back all the same.
func forced(older change.Change, newer ledger.Later) string {
	switch {
	case newer.Change.Kind.Deletes():
		return "rows that are gone are then left alone and reported"
	case older.Kind.Deletes():
		return "rows then come back as they were, without what " + newer.Run + " wrote"
	}
	return fmt.Sprintf("rows that hold what %s wrote are then left alone and reported", newer.Run)
}
