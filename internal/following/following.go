// Package following has a run go on over rows that came behind its bound while it worked (rows: follow).
//
// It owns the rounds: where the plan is worked off, the greatest key is read anew, and the plan goes on up to it. It leaves cutting to
// planner. Invariants: a round is worked on when every transaction that wrote the table when its bound was read has ended, so each row up to
// the bound is visible by then; the last round had nothing to write, or found no key behind the bound and nobody who could bring one. A
// sequence that hands out numbers in advance (CACHE), and keys that do not grow, are beyond this.
package following

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/figure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/records"

	"github.com/jackc/pgx/v5"
)

const (
	// eager is how many rounds follow each other at once. A run that has not come to an end by then chases what others write.
	eager = 10
	// pace is the least time between the rounds after that, so that chunks are worth their invocation.
	pace = 30 * time.Second
)

// Next says what becomes of a run whose plan is worked off.
type Next int

// What becomes of it.
const (
	Complete Next = iota // nothing is left behind
	Wait                 // for others to commit, or for the next round
	Plan                 // the bound has moved
)

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Ledger is what following needs of Postgres.
type Ledger interface {
	Run(ctx context.Context, id string) (ledger.Run, error)
	Round(ctx context.Context, id string) (ledger.Round, error)
	Follow(ctx context.Context, id string, round int64, bound keyset.Point, after int64, reason string) (bool, error)
}

// Records is where the plan is opened again.
type Records interface {
	OpenPlan(ctx context.Context, id string, planned int64) error
}

// Follower follows.
type Follower struct {
	Session Session
	Ledger  Ledger
	Records Records
}

// Follow is asked when every chunk of the plan is done. Each step can be repeated.
func (f Follower) Follow(ctx context.Context, id string, plan records.Plan) (Next, error) {
	stored, err := f.Ledger.Run(ctx, id)
	if err != nil || !stored.Change.Follow {
		return Complete, err
	}
	if !plan.Cursor.Same(stored.Bound) {
		return Plan, f.Records.OpenPlan(ctx, id, plan.Planned) // who moved the bound did not live to do it
	}
	round, err := f.Ledger.Round(ctx, id)
	if err != nil || round.Chunks > 0 && round.Number > 0 && round.Written == 0 {
		return Complete, err
	}
	if round.Number >= eager && round.Now.Sub(round.At) < pace {
		return Wait, nil
	}
	conn, err := f.Session.Conn(ctx)
	if err != nil {
		return Wait, err
	}
	bound, err := boundary.Bound(ctx, conn, stored.Change, stored.Bound)
	switch {
	case err != nil:
		return Wait, err
	case bound == nil && round.Number > 0 && round.Chunks == 0:
		return Complete, nil
	case bound == nil:
		_, err := f.Ledger.Follow(ctx, id, round.Number+1, stored.Bound, plan.Planned, "looks once more for rows that came behind the last key")
		return Wait, err
	}
	moved, err := f.Ledger.Follow(ctx, id, round.Number+1, bound, plan.Planned, reason(round))
	if err != nil || !moved {
		return Wait, err
	}
	return Plan, f.Records.OpenPlan(ctx, id, plan.Planned)
}

// reason says why the run has not ended.
func reason(last ledger.Round) string {
	text := "follows rows that came behind the last key since it was read"
	if last.Number == 0 {
		return text
	}
	text += fmt.Sprintf(": round %d; the one before wrote %s", last.Number+1, figure.Plural(last.Written, "row", "rows"))
	if last.Number >= eager {
		text += "; they still come without the change: it ends when a round finds none to write, so have who inserts them write the new form, or cancel the run"
	}
	return text
}
