package governor

import (
	"context"
	"fmt"

	"backfill/internal/ledger"
)

// agree has the records made again where they and Postgres tell of different times: one of the two was restored to an
// older one, or Postgres failed over to a standby that lagged. Each beat has a higher number than all that were reported
// before it, but in a database that went back to before the last of them. A ledger that was put back by itself shows by
// its sums.
func (b *beat) agree(ctx context.Context, p ledger.Progress) error {
	id, recorded := b.record.Status.Run, b.record.Status.Rows
	// What was verified is counted anew by each verification.
	lost := recorded.Handled() - recorded.Verified - p.Scanned - p.Restored - p.Conflicts
	back := p.Beats <= b.record.Beats || lost > 0
	if !back && p.Last <= b.record.Plan.Planned {
		return nil
	}
	if back {
		if err := b.governor.Ledger.WentBack(ctx, id, wentBack(p, lost)); err != nil {
			return err
		}
	}
	record, err := b.governor.rebuild(ctx, id)
	if err != nil {
		return err
	}
	record.Status.Rows.Scanned, record.Status.Rows.Restored, record.Status.Rows.Conflicts = p.Scanned, p.Restored, p.Conflicts
	b.record = record
	return b.governor.Records.SaveProgress(ctx, record.Status, p.Beats)
}

// wentBack puts it in words. Some of the rows that were lost may have been done again before this beat.
func wentBack(p ledger.Progress, lost int64) string {
	what := "what it lost is done again"
	if lost > 0 {
		what = fmt.Sprintf("%d rows or more are done again", lost)
	}
	return fmt.Sprintf("at %s Postgres had gone back to an older time: %s", p.Now.UTC().Format("2006-01-02 15:04:05"), what)
}
