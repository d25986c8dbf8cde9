// Package governor is the heartbeat of a run.
//
// It owns one beat: an invocation of up to a minute that samples every second or two and says what the state machine
// does next. It reads progress and reports it; it calls repair, completion and closing, each a package of its own.
// Invariants: it decides by what Postgres says; everything it does can be done twice; workers stop by themselves
// when it is silent for too long.
package governor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"backfill/internal/following"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/notice"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/report"
	"backfill/internal/run"
	"backfill/internal/turn"
	"backfill/internal/window"
)

const (
	// interval between samples: an operator's word and an expired lease are seen within it.
	interval = 2 * time.Second
	// margin before the deadline of the function, for the last writes.
	margin = 5 * time.Second
)

// Ledger is what a beat reads and renews in Postgres.
type Ledger interface {
	Renew(ctx context.Context) error
	Beat(ctx context.Context, id string, window int64) (ledger.Progress, []ledger.Again, error)
	Run(ctx context.Context, id string) (ledger.Run, error)
	WentBack(ctx context.Context, id, reason string) error
	Failures(ctx context.Context, id string) (ledger.Failures, error)
	Stall(ctx context.Context, id, why string) error
	Moves(ctx context.Context, id string) error
	Mark(ctx context.Context, id string, p report.Point) error
}

// Records is where a beat reports to.
type Records interface {
	Run(ctx context.Context, id string) (records.Record, error)
	SaveProgress(ctx context.Context, status run.Status, beats int64) error
	SetSegment(ctx context.Context, id, execution string) error
}

// Repairer sends what should be at a worker and is not.
type Repairer interface {
	Again(ctx context.Context, id string, again []ledger.Again) error
	Unclaimed(ctx context.Context, id string, planned int64, progress ledger.Progress) error
}

// Drainer empties the dead-letter queue of the stack, whichever run a letter is of.
type Drainer interface {
	Drain(ctx context.Context) error
}

// Completer brings a run to COMPLETED if it is complete, and tells whether it is; so for its rollback, and for its verification.
type Completer interface {
	Complete(ctx context.Context, id string, planned int64) (bool, error)
	RolledBack(ctx context.Context, id string) (bool, error)
	Verified(ctx context.Context, id string, planned int64) (holds, done bool, err error)
}

// Follower has a run whose plan is worked off go on, where rows came behind its bound.
type Follower interface {
	Follow(ctx context.Context, id string, plan records.Plan) (following.Next, error)
}

// Canaries judges the canary of a run of which no chunk is open.
type Canaries interface {
	Judge(ctx context.Context, id string, workers int64) error
}

// Rebuilder makes the records of a run agree with Postgres.
type Rebuilder interface {
	Rebuild(ctx context.Context, id string) (rebuild.Rebuilt, error)
}

// Regulator decides the rate of the database, where that is due.
type Regulator interface {
	Regulate(ctx context.Context, id string, speed float64) (run.Throttle, error)
}

// Closer ends a run before it is complete.
type Closer interface {
	Close(ctx context.Context, id string, as run.State, reason string) (run.State, error)
	Finish(ctx context.Context, id string) (run.State, error)
}

// Pauser brings a run that is PAUSING to PAUSED as soon as no lease lives, and tells its state; Record brings the record in
// line with the state that a person gave the run. PauseFailed stops it for a chunk that failed, PauseUntil and Open follow its windows.
type Pauser interface {
	Rest(ctx context.Context, id string) (run.State, error)
	Record(ctx context.Context, id string) (run.State, error)
	PauseFailed(ctx context.Context, id, reason string) (run.State, error)
	PauseUntil(ctx context.Context, id, reason string, until time.Time) (run.State, error)
	Open(ctx context.Context, id string) (run.State, error)
}

// Governor makes beats.
type Governor struct {
	Ledger     Ledger
	Records    Records
	Repairer   Repairer
	Drainer    Drainer
	Completer  Completer
	Follower   Follower
	Canaries   Canaries
	Closer     Closer
	Pauser     Pauser
	Rebuilder  Rebuilder
	Regulator  Regulator
	Duration   time.Duration // of a beat
	LookAhead  int64         // chunks that should wait for a worker; below half of it the planner is called
	MaxWorkers int64         // ceiling of the event source mapping
	Stall      time.Duration // without a row handled before a run ends as FAILED
	Worker     string        // name of the workers' function, for people who look for it
	Gauges     *gauge.Writer
	windows    map[string]window.Windows
}

// Beat watches the run until the beat is over or something else is to be done.
func (g *Governor) Beat(ctx context.Context, in turn.Turn) (turn.Turn, error) {
	// The schema is the one that the start of a run has made: before the stack was deployed anew, it may be.
	if err := g.Ledger.Renew(ctx); err != nil {
		return in, fmt.Errorf("beat %d of run %s: %w", in.Beat, in.Run, err)
	}
	record, err := g.begin(ctx, in)
	if errors.Is(err, records.ErrNotFound) {
		if _, err = g.rebuild(ctx, in.Run); err == nil {
			record, err = g.begin(ctx, in)
		}
	}
	if err != nil {
		return in, err
	}
	beat := &beat{governor: g, record: record, until: time.Now().Add(g.Duration)}
	next, err := beat.watch(ctx)
	beat.gauge(next)
	if err != nil {
		return in, fmt.Errorf("beat %d of run %s: %w", in.Beat, in.Run, err)
	}
	out := turn.Turn{
		Run: in.Run, State: beat.record.Status.State, Reason: beat.record.Status.Reason,
		Beat: in.Beat + 1, Budget: in.Budget, Next: next,
	}
	if next == turn.Pause {
		out.Wait = beat.wait()
	}
	if next == turn.Pause || next == turn.End {
		out.Notice = notice.Of(beat.record.Status)
	}
	if next != turn.End && next != turn.Pause && out.Beat >= out.Budget {
		out.Next = turn.Segment
	}
	slog.InfoContext(ctx, "beat", "run", out.Run, "state", out.State, "beat", in.Beat, "next", out.Next,
		"completed", beat.record.Status.Chunks.Completed, "of", beat.record.Status.Chunks.Total,
		"rows", beat.record.Status.Rows.Scanned, "rate", int64(beat.record.Status.Rate))
	return out, nil
}

// begin reads the record, and notes in it who beats. It may be lost between the two.
func (g *Governor) begin(ctx context.Context, in turn.Turn) (records.Record, error) {
	record, err := g.Records.Run(ctx, in.Run)
	if err == nil && in.Beat == 0 && in.Segment != "" {
		err = g.Records.SetSegment(ctx, in.Run, in.Segment)
	}
	return record, err
}

// rebuild makes records again that were lost.
func (g *Governor) rebuild(ctx context.Context, id string) (records.Record, error) {
	if _, err := g.Rebuilder.Rebuild(ctx, id); err != nil {
		return records.Record{}, err
	}
	return g.Records.Run(ctx, id)
}
