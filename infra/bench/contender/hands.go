package contender

import (
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/journal"
	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/worker"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// finish delivers again what was given back, and what a rollback has opened, until no chunk is open.
func (h *hands) finish(ctx context.Context, entries *ledger.Ledger) error {
	for {
		progress, due, err := entries.Beat(ctx, h.run, everything)
		switch {
		case err != nil:
			return err
		case progress.Broken > 0:
			return failed(ctx, entries, h.run)
		case progress.Open == 0:
			return nil
		case len(due) == 0 && !deadline.Rest(ctx, 20*time.Millisecond): // what was given back is not due yet
			return ctx.Err()
		}
		queue := make(chan chunk.Message, len(due))
		for _, a := range due {
			queue <- chunk.Message{Run: h.run, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send}
		}
		close(queue)
		if err := h.deliver(ctx, queue); err != nil {
			return err
		}
	}
}

func failed(ctx context.Context, entries *ledger.Ledger, run string) error {
	failures, err := entries.Failures(ctx, run)
	if err != nil {
		return err
	}
	return fmt.Errorf("chunks %d failed: %s", failures.First, failures.Reason)
}

// deliver has workers take the messages of a queue until it is closed. A worker connects when it has its first.
func (h *hands) deliver(ctx context.Context, queue <-chan chunk.Message) error {
	gauges := gauge.New(&h.told, "bench", "", func() string { return "bench" }, time.Now)
	group, ctx := errgroup.WithContext(ctx)
	for range h.workers {
		group.Go(func() error {
			session := h.session()
			defer session.Drop()
			hand := worker.New(session, ledger.New(session, terms), nowhere{}, terms.Lease).Tell(gauges)
			for message := range queue {
				if err := hand.Work(ctx, message); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// notes has the times of the leg's batches.
func (h *hands) notes(context.Context) (Notes, error) {
	return Notes{Batches: newBatches(journal.BatchTimes(h.told.Bytes()))}, nil
}

// kept has what there is to be taken back, too.
func (h *hands) kept(ctx context.Context) (Notes, error) {
	n, err := h.notes(ctx)
	if err == nil {
		n.Undo, err = undoOf(ctx, h.table.Conn, h.run)
	}
	return n, err
}

// nowhere takes the copies that would go to DynamoDB.
type nowhere struct{}

func (nowhere) Checkpoint(context.Context, records.Checkpoint) error { return nil }

// undoOf is what a run has stored to be taken back, as the ledger notes it.
func undoOf(ctx context.Context, conn *pgx.Conn, run string) (bytes int64, err error) {
	err = conn.QueryRow(ctx, "SELECT coalesce(sum(undo_bytes), 0)::bigint FROM backfill.ledger WHERE run = $1", run).Scan(&bytes)
	if err != nil {
		return 0, fmt.Errorf("read the undo of run %s: %w", run, err)
	}
	return bytes, nil
}
