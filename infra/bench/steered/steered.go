// Package steered is a run as the stack makes it, in one process and without AWS: planner, governor and workers.
//
// It owns what stands in for the state machine, the queue and DynamoDB, and what the governor reports. All else is the product's.
// Invariant: what a beat or a delivery fails with is tried again, as the stack would; only the end of the context ends it.
package steered

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/following"
	"backfill/internal/governor"
	"backfill/internal/ledger"
	"backfill/internal/planner"
	"backfill/internal/postgres"
	"backfill/internal/regulator"
	"backfill/internal/review"
	"backfill/internal/run"
	"backfill/internal/turn"
	"backfill/internal/worker"

	"golang.org/x/sync/errgroup"
)

const (
	// everything is more chunks than any table of the benchmark has.
	everything = 1_000
	// beat is the template's default, again what Step Functions and SQS wait at least before they try again.
	beat, again = 55 * time.Second, time.Second
)

// terms are the template's defaults.
var terms = ledger.Terms{Lease: time.Minute, Heartbeat: 3 * time.Minute}

// Steered is runs of one definition, one after the other.
type Steered struct {
	URL        string
	Definition string
	Rate       int64 // rows/s, an operator's limit; 0: none
	Workers    int
	Report     func(run.Status) // what the governor reports, with each of its samples
}

func (s *Steered) session(name string) *postgres.Session {
	return postgres.NewSession(credentials.Fixed(s.URL), name).Prepare()
}

// Prepare makes the product's schema, and sets the operator's limit.
func (s *Steered) Prepare(ctx context.Context) error {
	session := s.session("control")
	defer session.Drop()
	entries := ledger.New(session, terms)
	if err := entries.Migrate(ctx); err != nil {
		return err
	}
	_, err := entries.Tune(ctx, "", ledger.Tuning{Rate: &s.Rate, By: "bench"})
	return err
}

// Work makes runs until the context ends, which is its end in order.
func (s *Steered) Work(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := s.once(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// once makes one run.
func (s *Steered) once(ctx context.Context) error {
	id := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	session := s.session("planner")
	defer session.Drop()
	request, err := json.Marshal(map[string]string{"action": "start", "definition": s.Definition})
	if err != nil {
		return fmt.Errorf("write a request: %w", err)
	}
	kept := &shelf{queue: make(chan chunk.Message, 4*everything), report: s.Report}
	starts := planner.Planner{
		Session: session, Ledger: ledger.New(session, terms), Records: kept, Dispatcher: kept,
		Reviewer: review.Reviewer{Session: session, Inline: true}, LookAhead: everything,
	}
	if _, err := starts.Handle(ctx, planner.Call{Step: "begin", Request: request, Name: id, Execution: id}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for range s.Workers {
		group.Go(func() error { return s.hand(ctx, kept.queue) })
	}
	group.Go(func() error {
		defer close(kept.queue)
		return s.govern(ctx, id, kept)
	})
	return group.Wait()
}

// hand is one worker.
func (s *Steered) hand(ctx context.Context, queue <-chan chunk.Message) error {
	session := s.session("worker")
	defer session.Drop()
	hand := worker.New(session, ledger.New(session, terms), nowhere{}, terms.Lease)
	for message := range queue {
		for hand.Work(ctx, message) != nil {
			if !deadline.Rest(ctx, again) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// govern makes beats until the run has ended.
func (s *Steered) govern(ctx context.Context, id string, kept *shelf) error {
	session := s.session("governor")
	defer session.Drop()
	entries := ledger.New(session, terms)
	kept.ledger = entries
	g := governor.Governor{
		Ledger: entries, Records: kept, Repairer: kept, Drainer: kept, Completer: kept, Follower: following.Follower{Ledger: entries},
		Regulator: regulator.Regulator{Session: session, Ledger: entries},
		Duration:  beat, LookAhead: everything, MaxWorkers: int64(s.Workers),
	}
	at := turn.Turn{Run: id, Budget: everything}
	for at.Next != turn.End {
		next, err := g.Beat(ctx, at)
		if err != nil {
			slog.WarnContext(ctx, "a beat failed", "class", failure.Of(err), "error", failure.Safe(err))
			if failure.Of(err) == failure.Permanent || !deadline.Rest(ctx, again) {
				return err
			}
			continue
		}
		at = next
	}
	if at.State != run.Completed {
		return fmt.Errorf("run %s ended as %s: %s", id, at.State, at.Reason)
	}
	return nil
}
