package planner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/notice"
	"backfill/internal/records"
	"backfill/internal/request"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// begin brings a run to life, or back to it, or finds it alive: each step can be repeated.
func (p *Planner) begin(ctx context.Context, call Call) (turn.Turn, error) {
	asked, err := request.Parse(call.Request, call.Name)
	if err != nil {
		return turn.Turn{}, err
	}
	if asked.DryRun {
		return p.dryRun(ctx, asked)
	}
	if err := p.Ledger.Migrate(ctx); err != nil {
		return turn.Turn{}, err
	}
	switch asked.Action {
	case request.Resume:
		return p.bring(ctx, asked, call.Execution, p.Ledger.Revive)
	case request.Retry:
		return p.bring(ctx, asked, call.Execution, p.Ledger.Retry)
	case request.Rollback:
		return p.rollBack(ctx, asked, call.Execution)
	case request.Verify:
		return p.verify(ctx, asked, call.Execution)
	}
	return p.start(ctx, asked, call.Execution)
}

func (p *Planner) start(ctx context.Context, asked request.Request, execution string) (turn.Turn, error) {
	stored, err := p.Ledger.Run(ctx, asked.Run)
	if errors.Is(err, ledger.ErrNoRun) {
		stored, err = p.open(ctx, asked, execution)
	}
	var skipped *overlap
	if errors.As(err, &skipped) {
		slog.InfoContext(ctx, "start skipped", "run", asked.Run, "reason", skipped.Error())
		return turn.Turn{Run: asked.Run, Next: turn.Skip, Reason: skipped.Error()}, nil
	}
	if err != nil {
		return turn.Turn{}, err
	}
	if stored.Execution != execution && !stored.State.Ended() {
		// Two executions would watch one run, and the end of either would end it.
		return turn.Turn{}, failure.New(failure.Busy, "run %s goes on in execution %s; `backfill watch %s` follows it",
			stored.Run, stored.Execution, stored.Run)
	}
	if err := p.record(ctx, stored); err != nil {
		return turn.Turn{}, err
	}
	return p.plan(ctx, turn.Turn{Run: stored.Run})
}

// bring brings a run back, from where the ledger stands, unless it would write over what a newer one wrote.
func (p *Planner) bring(ctx context.Context, asked request.Request, execution string,
	back func(ctx context.Context, id, execution string) (ledger.Run, error),
) (turn.Turn, error) {
	if err := p.mayGoOn(ctx, asked.Run, execution); err != nil {
		return turn.Turn{}, err
	}
	stored, err := back(ctx, asked.Run, execution)
	if err != nil {
		return turn.Turn{}, err
	}
	return p.reopened(ctx, stored)
}

// reopened brings the record in line with a run that is watched again. A step that is repeated late finds it ended.
func (p *Planner) reopened(ctx context.Context, stored ledger.Run) (turn.Turn, error) {
	if _, _, err := p.agree(ctx, stored.Run); err != nil {
		return turn.Turn{}, err
	}
	if err := p.Records.Reopen(ctx, stored.Run, stored.Action, stored.State, stored.Execution); err != nil {
		return turn.Turn{}, err
	}
	out := turn.Turn{Run: stored.Run, State: stored.State, Reason: stored.Reason, Next: turn.Beat}
	if stored.State.Ended() {
		out.Next, out.Notice = turn.End, notice.Of(stored.Status())
	}
	return out, nil
}

// open judges the request, looks for what has to be done before it, and takes the lock of the table.
func (p *Planner) open(ctx context.Context, asked request.Request, execution string) (ledger.Run, error) {
	finding, err := p.Reviewer.Review(ctx, subjectOf(asked))
	if err != nil {
		return ledger.Run{}, err
	}
	before, err := p.Ledger.Dependencies(ctx, finding.DependsOn)
	if err != nil {
		return ledger.Run{}, err
	}
	if err := review.Unmet(before).Err(); err != nil {
		return ledger.Run{}, err
	}
	share, err := request.ParseShare(asked.Canary)
	if err != nil {
		return ledger.Run{}, failure.As(failure.Invalid, err)
	}
	opened, err := p.Ledger.Open(ctx, ledger.Run{
		Run: asked.Run, Backfill: finding.Backfill, Version: finding.Version, Definition: finding.Source, Change: finding.Change,
		Execution: execution, Bound: finding.Bound, Estimated: finding.Estimated, Canary: share,
	})
	if finding.Skips && failure.Is(err, failure.Busy) {
		return opened, &overlap{err}
	}
	return opened, err
}

// overlap is a start that the definition has passed over while another run holds the table.
type overlap struct{ error }

// record makes DynamoDB's record of the run, where it is not there yet.
func (p *Planner) record(ctx context.Context, stored ledger.Run) error {
	err := p.Records.CreateRun(ctx, stored.Status(), stored.Execution)
	if errors.Is(err, records.ErrExists) {
		return nil
	}
	if errors.Is(err, records.ErrTaken) {
		return p.release(ctx, stored, err)
	}
	if err != nil {
		return fmt.Errorf("record run %s: %w", stored.Run, failure.As(failure.Permanent, err))
	}
	return nil
}

// release ends a run whose id another database took in the same moment: nothing of it was planned.
func (p *Planner) release(ctx context.Context, stored ledger.Run, taken error) error {
	if _, err := p.Ledger.Close(ctx, stored.Run, stored.Execution, run.Failed, taken.Error()); err != nil {
		return err
	}
	if _, _, err := p.Ledger.Finish(ctx, stored.Run); err != nil {
		return err
	}
	return taken
}

// look renews the heartbeat, and reads how far the run and its plan are.
func (p *Planner) look(ctx context.Context, id string) (ledger.Progress, records.Record, error) {
	progress, _, err := p.Ledger.Beat(ctx, id, 0)
	if err != nil {
		return progress, records.Record{}, err
	}
	record, err := p.Records.Run(ctx, id)
	return progress, record, err
}

// agree is a look that has the record made again where it was lost, or is older than the ledger.
func (p *Planner) agree(ctx context.Context, id string) (ledger.Progress, records.Record, error) {
	progress, record, err := p.look(ctx, id)
	if err != nil && !errors.Is(err, records.ErrNotFound) || err == nil && progress.Last <= record.Plan.Planned {
		return progress, record, err
	}
	if _, err := p.Rebuilder.Rebuild(ctx, id); err != nil {
		return progress, record, err
	}
	return p.look(ctx, id)
}

func subjectOf(asked request.Request) review.Subject {
	return review.Subject{Backfill: asked.Backfill, Definition: asked.Definition, Params: asked.Params}
}
