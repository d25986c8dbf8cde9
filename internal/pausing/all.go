package pausing

import (
	"context"
	"errors"

	"backfill/internal/run"
)

// PauseAll stops every run for a while that has not ended and whose execution's ARN begins like that, and names them. All of
// them are stopped first, by one statement; a record that cannot be written is told, and does not keep the next from
// being written.
func (p *Pauser) PauseAll(ctx context.Context, executions, by, reason string) ([]string, error) {
	ids, err := p.ledger.PauseAll(ctx, executions, by, reason)
	if err != nil {
		return nil, err
	}
	return ids, each(ids, func(id string) error {
		_, err := p.Rest(ctx, id)
		return err
	})
}

// ResumeAll lets the runs go on that PauseAll has stopped, and names them, with those whose
// execution waits though they are not paused. One that was paused by its name stays so.
func (p *Pauser) ResumeAll(ctx context.Context, executions, by string) ([]string, error) {
	ids, err := p.ledger.PausedForAll(ctx, executions)
	if err != nil {
		return nil, err
	}
	return ids, each(ids, func(id string) error {
		if _, err := p.ledger.Unpause(ctx, id, by, run.ForAll); err != nil {
			return err
		}
		_, err := p.Record(ctx, id)
		return err
	})
}

// each does the same to every run, and gathers what went wrong.
func each(ids []string, act func(id string) error) error {
	var wrong error
	for _, id := range ids {
		wrong = errors.Join(wrong, act(id))
	}
	return wrong
}
