package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"backfill/internal/batch"
	"backfill/internal/failure"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// passes tells whether the row that fails may be passed over. A rollback has to restore what was written; where a row may have
// no place any more, that is a conflict. A constraint that was added since would take the undo of every row: a person has to drop it. In the look at a canary a row that
// cannot be judged deviates, whatever the budget: that is for rows that the run leaves out.
func (s *walk) passes(failed *batch.Failed) bool {
	if s.claim.Back {
		return s.change.Kind.Displaces() && failed.Displaced()
	}
	return s.claim.Tries() || s.budget() > 0
}

// rejects tells whether the row at which a batch of one failed is to be passed over, which the next step does. Any error in
// between forgets it: the row fails once more where it was not passed over.
func (s *walk) rejects(class failure.Class, err error) bool {
	var failed *batch.Failed
	if class != failure.Data || !errors.As(err, &failed) || !s.passes(failed) {
		return false
	}
	if _, alone := failed.Row(); alone {
		s.poison = failed
	}
	return s.poison != nil
}

// budget is how many rows may be rejected. What a person has changed since the last batch counts when a row is noted.
func (s *walk) budget() int64 {
	if s.claim.Budget != nil {
		return *s.claim.Budget
	}
	return s.change.ErrorBudget
}

// pass passes over the row that was found.
func (s *walk) pass(ctx context.Context, conn *pgx.Conn) error {
	failed := s.poison
	row, _ := failed.Row()
	err := s.batches.Pass(ctx, conn, s.claim, row)
	if postgres.Raised(err, failure.BudgetSpent) {
		return fmt.Errorf("%w; one more: %w", err, failed)
	}
	if err != nil {
		return err
	}
	s.poison = nil
	s.suspects.clear(1)
	s.quota.use(1)
	s.patience.renew()
	slog.InfoContext(ctx, "row passed over", "run", s.claim.Message.Run, "chunk", s.claim.Message.Chunk, "rows", failed.Within, "sqlstate", row.SQLState)
	return nil
}
