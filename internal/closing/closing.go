// Package closing ends a run before it is complete: after a cancel, a failure, or the loss of its execution.
//
// It owns the order of the steps: Postgres first (no batch starts any more), then the record, then the end as soon
// as no lease lives. Each step can be repeated by anybody: governor, control, an event that comes twice. Invariant:
// a run is CANCELLED or FAILED only after its last batch.
package closing

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/run"
)

// Ledger is what closing needs of Postgres.
type Ledger interface {
	Close(ctx context.Context, id, execution string, as run.State, reason string) (bool, error)
	Finish(ctx context.Context, id string) (run.State, string, error)
	observation.Ledger
}

// Records is what closing needs of DynamoDB. RecordEnd records a run that may have no record yet.
type Records interface {
	Close(ctx context.Context, id, execution string, to run.State, reason string) error
	RecordEnd(ctx context.Context, id, backfill, execution string, as run.State, reason string) error
	Expire(ctx context.Context, id string) error
	observation.Records
}

// Closer closes runs.
type Closer struct {
	ledger  Ledger
	records Records
}

// New makes a closer.
func New(entries Ledger, records Records) *Closer { return &Closer{ledger: entries, records: records} }

// Close stops a run on its way to FAILED or CANCELLED, and ends it if no lease lives. It tells the state that the
// run has then; a run that has ended already stays as it is.
func (c *Closer) Close(ctx context.Context, id string, as run.State, reason string) (run.State, error) {
	stored, err := c.ledger.Run(ctx, id)
	if err != nil {
		return "", err
	}
	return c.close(ctx, stored, as, reason)
}

// close stops a run as it was read: one that a person brought back since is left alone.
func (c *Closer) close(ctx context.Context, stored ledger.Run, as run.State, reason string) (run.State, error) {
	closed, err := c.ledger.Close(ctx, stored.Run, stored.Execution, as, reason)
	if err != nil {
		return "", err
	}
	if closed {
		if err := c.records.Close(ctx, stored.Run, stored.Execution, run.Cancelling, reason); err != nil {
			return "", err
		}
	}
	return c.finish(ctx, stored)
}

// Finish ends a run that is CANCELLING as soon as no lease lives, and brings the record in line: whoever closed the run
// may have died before it did. It tells the state.
func (c *Closer) Finish(ctx context.Context, id string) (run.State, error) {
	stored, err := c.ledger.Run(ctx, id)
	if err != nil {
		return "", err
	}
	return c.finish(ctx, stored)
}

// finish ends a run as it was read before: who brings it back after it has ended gives it another execution.
func (c *Closer) finish(ctx context.Context, stored ledger.Run) (run.State, error) {
	state, reason, err := c.ledger.Finish(ctx, stored.Run)
	if err != nil || !state.Ended() && state != run.Cancelling {
		return state, err
	}
	if err := c.records.Close(ctx, stored.Run, stored.Execution, state, reason); err != nil {
		return "", fmt.Errorf("record that run %s is %s: %w", stored.Run, state, err)
	}
	if state.Ended() {
		if err := observation.Save(ctx, c.ledger, c.records, stored.Run); err != nil { // the last batches came after the last beat
			return "", err
		}
		if err := c.records.Expire(ctx, stored.Run); err != nil {
			return "", fmt.Errorf("let the chunks of run %s expire: %w", stored.Run, err)
		}
	}
	return state, nil
}

// Execution is one that ended badly.
type Execution struct {
	ARN      string
	Run      string // that it was for
	Backfill string // that it was to start; "": its input did not say
	Reopens  bool   // it was to go on with a run that exists, or to roll it back
	As       run.State
	Reason   string
}

// Lost closes the run of an execution that ended badly, and tells the state that the run has then. A run that
// belongs to another execution is left alone (a start under the name of a run that goes on was refused). A run that
// Postgres does not know was refused before it began: it is recorded as FAILED with the reason. Where it was to exist,
// there is no run: the state is "", and only a record that the execution had taken over ends.
func (c *Closer) Lost(ctx context.Context, e Execution) (run.State, error) {
	stored, err := c.ledger.Run(ctx, e.Run)
	if errors.Is(err, ledger.ErrNoRun) {
		if e.Reopens {
			return "", c.records.Close(ctx, e.Run, e.ARN, run.Failed, e.Reason)
		}
		return run.Failed, c.records.RecordEnd(ctx, e.Run, e.Backfill, e.ARN, run.Failed, e.Reason)
	}
	if err != nil {
		return "", err
	}
	if stored.Execution != e.ARN {
		return stored.State, nil
	}
	state, err := c.close(ctx, stored, e.As, e.Reason)
	if err != nil {
		return state, err
	}
	if !state.Ended() {
		return state, failure.New(failure.Transient, "run %s is %s: workers are finishing their batches", e.Run, state)
	}
	// Its planner may have died before it recorded the run.
	return state, c.records.RecordEnd(ctx, e.Run, stored.Backfill, e.ARN, state, e.Reason)
}
