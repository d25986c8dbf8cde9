// Package planner begins a run and cuts its chunks, a bounded look-ahead at a time.
//
// It owns the order of a start (check, lock, record, first chunks) and the growth of pages. It leaves judging a
// request to review, cutting to boundary, finding empty ranges to scope, sending to dispatch. Invariants: nothing is stored for a request that is
// refused; a page is committed before any chunk of it is sent or skipped, and stays in the outbox until each is one of the
// two; a start that is repeated is the same run.
package planner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/notice"
	"backfill/internal/prospect"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/turn"

	"github.com/jackc/pgx/v5"
)

// The steps of a call.
const (
	begin = "begin"
	plan  = "plan"
)

// Call is the input of the planner's function.
type Call struct {
	Step      string          `json:"step"`
	Request   json.RawMessage `json:"request,omitempty"`   // begin: the execution's input
	Execution string          `json:"execution,omitempty"` // begin: its ARN
	Name      string          `json:"name,omitempty"`      // begin: its name
	Run       string          `json:"run,omitempty"`       // plan
	Beat      int             `json:"beat,omitempty"`      // plan: passed through
	Budget    int             `json:"budget,omitempty"`    // plan: passed through
}

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Ledger is what a planner needs of Postgres' records.
type Ledger interface {
	Migrate(ctx context.Context) error
	Renew(ctx context.Context) error
	Open(ctx context.Context, r ledger.Run) (ledger.Run, error)
	Run(ctx context.Context, id string) (ledger.Run, error)
	Move(ctx context.Context, id string, from, to run.State) (bool, error)
	Close(ctx context.Context, id, execution string, as run.State, reason string) (bool, error)
	Finish(ctx context.Context, id string) (run.State, string, error)
	Revive(ctx context.Context, id, execution string) (ledger.Run, error)
	Retry(ctx context.Context, id, execution string) (ledger.Run, error)
	Reverse(ctx context.Context, id, execution string, chunks []int64) (ledger.Run, error)
	Verify(ctx context.Context, id, execution string, mends bool) (ledger.Run, error)
	Newer(ctx context.Context, id string) ([]ledger.Later, error)
	Dependencies(ctx context.Context, backfills []string) ([]ledger.Dependency, error)
	Skip(ctx context.Context, id string, entries []ledger.Entry) ([]int64, error)
	HoldBack(ctx context.Context, id string, entries []ledger.Entry) error
	Beat(ctx context.Context, id string, window int64) (ledger.Progress, []ledger.Again, error)
	Note(ctx context.Context, id, what string, chunks []int64) error
}

// Records is what a planner needs of DynamoDB.
type Records interface {
	CreateRun(ctx context.Context, status run.Status, execution string) error
	Run(ctx context.Context, id string) (records.Record, error)
	CommitPage(ctx context.Context, page records.Page) error
	Checkpoints(ctx context.Context, checkpoints []records.Checkpoint) error
	SetState(ctx context.Context, id string, to run.State, reason string) error
	Reopen(ctx context.Context, id, action string, state run.State, execution string) error
}

// Dispatcher sends.
type Dispatcher interface {
	SendPage(ctx context.Context, page records.Page) error
	SendOutbox(ctx context.Context, id string) ([]int64, error)
}

// Reviewer judges a request.
type Reviewer interface {
	Review(ctx context.Context, subject review.Subject) (review.Finding, error)
}

// Rehearser tells what a run would do.
type Rehearser interface {
	Rehearse(ctx context.Context, subject review.Subject, rows int) (prospect.Prospect, error)
}

// Rebuilder makes the records of a run agree with Postgres.
type Rebuilder interface {
	Rebuild(ctx context.Context, id string) (rebuild.Rebuilt, error)
}

// Planner begins runs and plans them.
type Planner struct {
	Session    Session
	Ledger     Ledger
	Records    Records
	Dispatcher Dispatcher
	Reviewer   Reviewer
	Rehearser  Rehearser
	Rebuilder  Rebuilder
	LookAhead  int64 // chunks that should wait for a worker
}

// Handle makes one step. Its answer tells the state machine what is next.
func (p *Planner) Handle(ctx context.Context, call Call) (turn.Turn, error) {
	switch call.Step {
	case begin:
		return p.begin(ctx, call)
	case plan:
		// It may be the first of a new deployment to come to a run that the one before began.
		if err := p.Ledger.Renew(ctx); err != nil {
			return turn.Turn{}, err
		}
		return p.plan(ctx, turn.Turn{Run: call.Run, Beat: call.Beat, Budget: call.Budget})
	default:
		return turn.Turn{}, failure.New(failure.Invalid, "step %q is not known; begin or plan", call.Step)
	}
}

// plan fills the look-ahead. The first page brings the run from PLANNING to RUNNING.
func (p *Planner) plan(ctx context.Context, out turn.Turn) (turn.Turn, error) {
	stored, err := p.Ledger.Run(ctx, out.Run)
	if err != nil {
		return out, err
	}
	out.State, out.Reason, out.Next = stored.State, stored.Reason, turn.Beat
	if stored.State.Ended() {
		out.Next, out.Notice = turn.End, notice.Of(stored.Status())
	}
	if !stored.State.Works() {
		return out, nil
	}
	err = p.fill(ctx, stored)
	if errors.Is(err, records.ErrNotFound) {
		// Its record was lost while pages were planned: the next try makes it again.
		return out, failure.New(failure.Transient, "plan run %s: %s", out.Run, err)
	}
	if err != nil {
		return out, fmt.Errorf("plan run %s: %w", out.Run, err)
	}
	if stored.State != run.Planning {
		return out, nil
	}
	moved, err := p.running(ctx, out.Run)
	if moved {
		out.State = run.Running
	}
	return out, err
}

// running ends PLANNING, and tells whether it did: the run may have been closed meanwhile. The ledger comes last,
// because its state decides whether this is repeated after a planner has died in the middle.
func (p *Planner) running(ctx context.Context, id string) (bool, error) {
	if err := p.Records.SetState(ctx, id, run.Running, ""); err != nil {
		return false, fmt.Errorf("record that run %s is planned: %w", id, err)
	}
	return p.Ledger.Move(ctx, id, run.Planning, run.Running)
}
