package contender

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/ground"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/review"
	"backfill/internal/run"

	"golang.org/x/sync/errgroup"
)

// The product's code without what is around it: no Lambda, no queue, no DynamoDB.

func direct(workers int) Entrance {
	return func(ctx context.Context, table *ground.Table) ([]Leg, error) {
		h := newHands(table, false, workers)
		return []Leg{{Name: Direct, Work: h.forward, Notes: h.notes}, {Name: Again, Work: h.forward, Notes: h.notes, Same: true}}, h.migrate(ctx)
	}
}

func undo(workers int) Entrance {
	return func(ctx context.Context, table *ground.Table) ([]Leg, error) {
		h := newHands(table, true, workers)
		return []Leg{{Name: Undo, Work: h.forward, Notes: h.kept}, {Name: Rollback, Work: h.back, Notes: h.notes, Back: true}}, h.migrate(ctx)
	}
}

// plain tells the workers that a written column is indexed, so that none of them chooses passes: no code of theirs
// is another.
func plain(workers int) Entrance {
	return func(ctx context.Context, table *ground.Table) ([]Leg, error) {
		h := newHands(table, false, workers)
		h.indexed = "any"
		return []Leg{{Name: Plain, Work: h.forward, Notes: h.notes}}, h.migrate(ctx)
	}
}

// terms are generous: there is no governor that would renew a heartbeat.
var terms = ledger.Terms{Lease: time.Minute, Heartbeat: 24 * time.Hour}

// hands are workers, with who plays planner and governor for them.
type hands struct {
	table      *ground.Table
	definition string
	workers    int
	indexed    string       // an index that the change takes for one of a written column: then it goes without passes
	run        string       // the last one
	told       bytes.Buffer // the figures of their deliveries
}

func newHands(table *ground.Table, undo bool, workers int) *hands {
	return &hands{table: table, definition: table.Task.Definition(undo), workers: workers}
}

func (h *hands) session() *postgres.Session {
	return postgres.NewSession(credentials.Fixed(h.table.URL), "backfill bench").Prepare()
}

// migrate makes the product's schema, which a database has from its first run on.
func (h *hands) migrate(ctx context.Context) error {
	session := h.session()
	defer session.Drop()
	return ledger.New(session, terms).Migrate(ctx)
}

// forward plans the whole table and works through it; workers begin with the first chunks that are cut.
func (h *hands) forward(ctx context.Context) error {
	session := h.session()
	defer session.Drop()
	entries := ledger.New(session, terms)
	found, err := review.Reviewer{Session: session, Inline: true}.Review(ctx, review.Subject{Definition: h.definition})
	if err != nil {
		return err
	}
	found.Change.Indexed = cmp.Or(found.Change.Indexed, h.indexed)
	h.run = fmt.Sprintf("bench-%d", time.Now().UnixNano())
	_, err = entries.Open(ctx, ledger.Run{Run: h.run, Backfill: found.Backfill, Change: found.Change, Bound: found.Bound, Execution: h.run})
	if err != nil {
		return err
	}
	h.told.Reset()
	queue := make(chan chunk.Message, everything)
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error { return h.deliver(within, queue) })
	group.Go(func() error {
		defer close(queue)
		return h.plan(within, session, entries, found, queue)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := h.finish(ctx, entries); err != nil {
		return err
	}
	_, err = entries.Move(ctx, h.run, run.Running, run.Completed)
	return err
}

// plan sends chunks as they are cut. The first of them bring the run from PLANNING to RUNNING.
func (h *hands) plan(ctx context.Context, session *postgres.Session, entries *ledger.Ledger, found review.Finding, queue chan<- chunk.Message) error {
	number := int64(0)
	return cuts(ctx, session, found, func(ranges []keyset.Range) error {
		for _, cut := range ranges {
			number++
			queue <- chunk.Chunk{Run: h.run, Number: number, Range: cut}.Message(1)
		}
		if number > int64(len(ranges)) {
			return nil
		}
		_, err := entries.Move(ctx, h.run, run.Planning, run.Running)
		return err
	})
}

// everything is more chunks than any table of the benchmark has.
const everything = 1_000

// back rolls back what forward did.
func (h *hands) back(ctx context.Context) error {
	session := h.session()
	defer session.Drop()
	entries := ledger.New(session, terms)
	if _, err := entries.Reverse(ctx, h.run, h.run+"-back", nil); err != nil {
		return err
	}
	h.told.Reset()
	if err := h.finish(ctx, entries); err != nil {
		return err
	}
	_, err := entries.Restored(ctx, h.run)
	return err
}
