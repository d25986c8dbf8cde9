package governor

import (
	"context"
	"fmt"

	"backfill/internal/ledger"
)

// agree has the records made again where they and Postgres tell of different times: one of the two was restored to an
// older one, or Postgres failed over to a standby that lagged.
func (b *beat) agree(ctx context.Context, p ledger.Progress) error {
	id, recorded := b.record.Status.Run, b.record.Status.Rows
	lost := recorded.Handled() - p.Scanned - p.Restored - p.Conflicts
	if lost <= 0 && p.Last <= b.record.Plan.Planned {
		return nil
	}
	if lost > 0 {
		reason := fmt.Sprintf("at %s Postgres had gone back to an older time: %d rows that were done before are done again",
			p.Now.UTC().Format("2006-01-02 15:04:05"), lost)
		if err := b.governor.Ledger.WentBack(ctx, id, reason); err != nil {
			return err
		}
	}
	record, err := b.governor.rebuild(ctx, id)
	if err != nil {
		return err
	}
	record.Status.Rows.Scanned, record.Status.Rows.Restored, record.Status.Rows.Conflicts = p.Scanned, p.Restored, p.Conflicts
	b.record = record
	return b.governor.Records.SaveProgress(ctx, record.Status)
}
