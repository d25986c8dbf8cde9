package governor

import (
	"context"
	"log/slog"

	"backfill/internal/failure"
	"backfill/internal/report"
)

// mark notes how the run stands, for its report. A run goes on where that fails.
func (b *beat) mark(ctx context.Context) {
	s := b.record.Status
	err := b.governor.Ledger.Mark(ctx, s.Run, report.Point{State: s.State, Handled: s.Rows.Handled() - s.Rows.Verified, Looked: s.Rows.Verified, Written: s.Rows.Affected,
		Done: s.Chunks.Completed + s.Chunks.RolledBack, Failed: s.Chunks.Failed, Workers: s.Concurrency,
		Allowed: s.Throttle.Rate, Reason: s.Throttle.Reason, EndsAt: s.ETA})
	if err != nil {
		slog.WarnContext(ctx, "course not noted", "run", s.Run, "class", failure.Of(err), "error", failure.Safe(err))
	}
}
