package planner

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/request"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// begin brings a run to life, or finds it alive: each step can be repeated.
func (p *Planner) begin(ctx context.Context, call Call) (turn.Turn, error) {
	asked, err := request.Parse(call.Request, call.Name)
	if err != nil {
		return turn.Turn{}, err
	}
	if err := p.Ledger.Migrate(ctx); err != nil {
		return turn.Turn{}, err
	}
	stored, err := p.Ledger.Run(ctx, asked.Run)
	if errors.Is(err, ledger.ErrNoRun) {
		stored, err = p.open(ctx, asked, call.Execution)
	}
	if err != nil {
		return turn.Turn{}, err
	}
	if stored.Execution != call.Execution && !stored.State.Ended() {
		// Two executions would watch one run, and the end of either would end it.
		return turn.Turn{}, failure.New(failure.Busy, "run %s goes on in execution %s; `backfill watch %s` follows it",
			stored.Run, stored.Execution, stored.Run)
	}
	if err := p.record(ctx, stored); err != nil {
		return turn.Turn{}, err
	}
	out, err := p.plan(ctx, turn.Turn{Run: stored.Run})
	if err == nil && stored.State == run.Running {
		// A planner before this one may have died between the ledger and the record.
		err = p.Records.SetState(ctx, stored.Run, run.Running, "")
	}
	return out, err
}

// open judges the request and takes the lock of the table.
func (p *Planner) open(ctx context.Context, asked request.Request, execution string) (ledger.Run, error) {
	finding, err := p.Reviewer.Review(ctx, review.Subject{
		Backfill: asked.Backfill, Definition: asked.Definition, Params: asked.Params,
	})
	if err != nil {
		return ledger.Run{}, err
	}
	return p.Ledger.Open(ctx, ledger.Run{
		Run: asked.Run, Backfill: finding.Backfill, Definition: finding.Source, Change: finding.Change,
		Execution: execution, Bound: finding.Bound, Estimated: finding.Estimated,
	})
}

// record makes DynamoDB's record of the run, where it is not there yet.
func (p *Planner) record(ctx context.Context, stored ledger.Run) error {
	err := p.Records.CreateRun(ctx, run.Status{
		Run: stored.Run, Backfill: stored.Backfill, Action: request.Start, State: stored.State, Reason: stored.Reason,
		Table: stored.Change.Table.String(), Rows: run.Rows{Estimated: stored.Estimated},
		StartedAt: stored.StartedAt.UTC(), UpdatedAt: stored.Now.UTC(),
	}, stored.Execution)
	if errors.Is(err, records.ErrExists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record run %s: %w", stored.Run, failure.As(failure.Permanent, err))
	}
	return nil
}
