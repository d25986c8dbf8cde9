// Package observation puts what the ledger holds of a run into the status that people read.
//
// It owns which figure of the ledger is which of the status, for a beat of the governor and for whoever looks between
// beats. It leaves speed and its reason to governor. Invariants: figures are sums of the ledger, nothing is added up to
// what was shown before; a look renews no heartbeat.
package observation

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/run"
)

// Ledger is what is looked at.
type Ledger interface {
	Run(ctx context.Context, id string) (ledger.Run, error)
	Look(ctx context.Context, id string) (ledger.Progress, error)
}

// Records is where what was seen is noted.
type Records interface {
	Run(ctx context.Context, id string) (records.Record, error)
	SaveProgress(ctx context.Context, status run.Status, beats int64) error
}

// Update brings a status up to date, but for its speed. A chunk of a canary whose rows are looked at is done: nothing is written there any more.
func Update(status *run.Status, p ledger.Progress, plan records.Plan) {
	status.State, status.Action, status.Reason = p.State, p.Action, p.Reason
	status.Rows.Scanned, status.Rows.Affected = p.Scanned, p.Affected
	status.Rows.Restored, status.Rows.Conflicts, status.Rows.Rejected = p.Restored, p.Conflicts, p.Rejected
	status.Rows.Verified, status.Rows.Deviating, status.Rows.Mended = p.Looked, p.Deviating, p.Mended
	status.Certificate = p.Certified
	status.Chunks = run.Chunks{
		Total: plan.Planned, AllPlanned: plan.Closed,
		Pending: plan.Planned - p.Known + p.Pending - (p.Looking - p.Lookers), Processing: p.Processing - p.Lookers,
		Completed: p.Completed + p.Looking, Failed: p.Failed, RolledBack: p.RolledBack, Retries: p.Retries, Begun: p.Begun,
	}
	status.Canary = nil
	if p.Canary > 0 || p.Forecast != nil {
		status.Canary = &run.Canary{Share: run.Share(p.Canary), Held: p.Held, Looking: p.Looking, Approved: p.Canary == 0, Forecast: p.Forecast}
	}
	status.Undo.Bytes = p.UndoBytes
	status.Throttle.Limits = p.Limits
	status.Striping = run.Striping{Chunks: p.Striped, Reason: p.Passes}
	status.Concurrency = p.Leases
	status.Changes, status.Failures = p.Changes, p.Latest
	status.Pause = nil
	if p.State.Pauses() {
		status.Pause = &run.Pause{Since: p.PausedAt.UTC(), By: p.PausedBy, For: p.PausedFor, Until: p.Until}
	}
	status.UpdatedAt = p.Now.UTC()
}

// Save notes in a run's record what the ledger holds. A record that was lost stays lost.
func Save(ctx context.Context, entries Ledger, store Records, id string) error {
	progress, err := entries.Look(ctx, id)
	if err != nil {
		return err
	}
	record, err := store.Run(ctx, id)
	if err == nil {
		Update(&record.Status, progress, record.Plan)
		err = store.SaveProgress(ctx, record.Status, progress.Beats)
	}
	if err != nil && !errors.Is(err, records.ErrNotFound) {
		return fmt.Errorf("note the figures of run %s: %w", id, err)
	}
	return nil
}

// Unrecorded is the status of a run that has no record, by Postgres alone: chunks that nobody has claimed yet are not
// in it. ledger.ErrNoRun where Postgres does not know it either.
func Unrecorded(ctx context.Context, entries Ledger, id string) (run.Status, error) {
	stored, err := entries.Run(ctx, id)
	if err != nil {
		return run.Status{}, err
	}
	progress, err := entries.Look(ctx, id)
	if err != nil {
		return run.Status{}, err
	}
	status := stored.Status()
	Update(&status, progress, records.Plan{Planned: progress.Last, Closed: progress.State.Ended()})
	return status, nil
}
