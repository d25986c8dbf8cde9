// Package pausing stops a run for a while, and lets it go on.
//
// It owns the order of the steps: Postgres first (no batch starts any more, or the next one may), then the record. It
// leaves waking the execution that waits to control. Each step can be repeated by anybody. Invariant: whatever two people
// ask for at once, the record ends up with the state that Postgres has.
package pausing

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/run"
)

// Ledger is what pausing needs of Postgres.
type Ledger interface {
	Pause(ctx context.Context, id, by, reason string) (bool, error)
	PauseUntil(ctx context.Context, id, reason string, until time.Time) (bool, error)
	PauseFailed(ctx context.Context, id, reason string) (bool, error)
	Rest(ctx context.Context, id string) (run.State, string, error)
	Unpause(ctx context.Context, id, by string, meant run.For) (bool, error)
	PauseAll(ctx context.Context, executions, by, reason string) ([]string, error)
	PausedForAll(ctx context.Context, executions string) ([]string, error)
	observation.Ledger
}

// Records is what pausing needs of DynamoDB.
type Records interface {
	SetState(ctx context.Context, id string, to run.State, reason string) error
	observation.Records
}

// Pauser pauses runs.
type Pauser struct {
	ledger  Ledger
	records Records
}

// New makes a pauser.
func New(entries Ledger, records Records) *Pauser { return &Pauser{ledger: entries, records: records} }

// Pause stops a run for a while, and tells the state that it has then. One that was paused by its name, or for a failure,
// keeps its first reason; one that has ended, or is ending, is failure.Invalid.
func (p *Pauser) Pause(ctx context.Context, id, by, reason string) (run.State, error) {
	if _, err := p.ledger.Pause(ctx, id, by, reason); err != nil {
		return "", err
	}
	stored, err := p.ledger.Run(ctx, id)
	if err != nil {
		return "", err
	}
	if stored.State.Ended() || stored.State == run.Cancelling {
		return stored.State, failure.New(failure.Invalid, "run %s is %s: there is nothing to pause", id, stored.State)
	}
	return p.Rest(ctx, id) // at once where nobody works on it
}

// PauseUntil stops a run until its next window, unless a person has paused it meanwhile.
func (p *Pauser) PauseUntil(ctx context.Context, id, reason string, until time.Time) (run.State, error) {
	if _, err := p.ledger.PauseUntil(ctx, id, reason, until); err != nil {
		return "", err
	}
	return p.Rest(ctx, id)
}

// PauseFailed stops a run of which a chunk has failed until a person decides.
func (p *Pauser) PauseFailed(ctx context.Context, id, reason string) (run.State, error) {
	if _, err := p.ledger.PauseFailed(ctx, id, reason); err != nil {
		return "", err
	}
	return p.Rest(ctx, id)
}

// Open lets a run go on whose window has opened. One that a person has paused is left as it is.
func (p *Pauser) Open(ctx context.Context, id string) (run.State, error) {
	if _, err := p.ledger.Unpause(ctx, id, "", run.ForWindow); err != nil {
		return "", err
	}
	return p.Record(ctx, id)
}

// Rest brings a run that is PAUSING to PAUSED as soon as no lease lives, and tells its state.
func (p *Pauser) Rest(ctx context.Context, id string) (run.State, error) {
	if _, _, err := p.ledger.Rest(ctx, id); err != nil {
		return "", err
	}
	return p.Record(ctx, id)
}

// Resume lets a run go on that is paused, and tells the state that it has then. One that was let go on before is left as
// it is, and so is one that waits for an approval; one that has ended, or is ending, is failure.Invalid: it takes an execution to bring it back.
func (p *Pauser) Resume(ctx context.Context, id, by string) (run.State, error) {
	if _, err := p.ledger.Unpause(ctx, id, by, ""); err != nil {
		return "", err
	}
	state, err := p.Record(ctx, id)
	if err == nil && (state.Ended() || state == run.Cancelling) {
		err = failure.New(failure.Invalid, "run %s is %s, and not paused", id, state)
	}
	return state, err
}

// MayResume refuses to let a run go on that waits for an approval: a resume is none.
func (p *Pauser) MayResume(ctx context.Context, id string) error {
	progress, err := p.look(ctx, id)
	if err != nil || !unapproved(progress) {
		return err
	}
	return failure.New(failure.Invalid, "run %s is %s, and waits for an approval of its canary: `backfill approve %s` lets it go on with the rest, `backfill rollback %s` takes the canary back",
		id, progress.State, id, id)
}

// MayApprove refuses to approve a run that does not wait for it. One that was approved before goes on.
func (p *Pauser) MayApprove(ctx context.Context, id string) error {
	progress, err := p.look(ctx, id)
	switch {
	case err != nil || unapproved(progress):
		return err
	case progress.Canary > 0 && !progress.State.Ended():
		return failure.New(failure.Invalid, "run %s is %s, and does not wait for an approval: its canary has not come to its end", id, progress.State)
	case !progress.State.Moves() || progress.Forecast == nil:
		return failure.New(failure.Invalid, "run %s is %s, and does not wait for an approval", id, progress.State)
	}
	return nil
}

func unapproved(p ledger.Progress) bool { return p.State.Pauses() && p.PausedFor == run.ForCanary }

func (p *Pauser) look(ctx context.Context, id string) (ledger.Progress, error) {
	if _, err := p.ledger.Run(ctx, id); err != nil { // in the words for one that is not there
		return ledger.Progress{}, err
	}
	return p.ledger.Look(ctx, id)
}

// Approve lets a run go on whose canary has come to its end, with all that it has left to do, and tells the state that it has then. Another run is left as it is.
func (p *Pauser) Approve(ctx context.Context, id, by string) (run.State, error) {
	if _, err := p.ledger.Unpause(ctx, id, by, run.ForCanary); err != nil {
		return "", err
	}
	return p.Record(ctx, id)
}

// Record brings the record in line with Postgres, and tells the state. Who writes reads again: of two that write at once
// the last has read what is true. The end of a run is left to closing.
func (p *Pauser) Record(ctx context.Context, id string) (run.State, error) {
	stored, err := p.ledger.Run(ctx, id)
	for err == nil && !stored.State.Ended() && stored.State != run.Cancelling {
		if err := p.records.SetState(ctx, id, stored.State, stored.Reason); err != nil {
			return "", fmt.Errorf("record that run %s is %s: %w", id, stored.State, err)
		}
		var now ledger.Run
		if now, err = p.ledger.Run(ctx, id); err == nil && now.State == stored.State && now.Reason == stored.Reason {
			return now.State, observation.Save(ctx, p.ledger, p.records, id)
		}
		stored = now
	}
	return stored.State, err
}
