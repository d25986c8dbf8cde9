package contender

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/worker"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// finish delivers the messages, and again what was given back, until no chunk is open.
func (d *direct) finish(ctx context.Context, entries *ledger.Ledger, messages []chunk.Message) error {
	for {
		if err := d.deliver(ctx, messages); err != nil {
			return err
		}
		progress, due, err := entries.Beat(ctx, d.run, everything)
		switch {
		case err != nil:
			return err
		case progress.Broken > 0:
			return failed(ctx, entries, d.run)
		case progress.Open == 0:
			return nil
		case len(due) == 0 && !deadline.Rest(ctx, 20*time.Millisecond): // what was given back is not due yet
			return ctx.Err()
		}
		messages = messages[:0]
		for _, a := range due {
			messages = append(messages, chunk.Message{Run: d.run, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send})
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

// deliver has workers take the messages from a queue.
func (d *direct) deliver(ctx context.Context, messages []chunk.Message) error {
	queue := make(chan chunk.Message, len(messages))
	for _, message := range messages {
		queue <- message
	}
	close(queue)
	group, ctx := errgroup.WithContext(ctx)
	for range min(d.hands, len(messages)) {
		group.Go(func() error {
			session := d.session()
			defer session.Drop()
			hand := worker.New(session, ledger.New(session, terms), nowhere{}, terms.Lease)
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

// nowhere takes the copies that would go to DynamoDB.
type nowhere struct{}

func (nowhere) Checkpoint(context.Context, records.Checkpoint) error { return nil }

// undoOf is what a run has stored to be taken back, as the ledger notes it.
func undoOf(ctx context.Context, conn *pgx.Conn, run string) (n Notes, err error) {
	err = conn.QueryRow(ctx, "SELECT coalesce(sum(undo_bytes), 0)::bigint FROM backfill.ledger WHERE run = $1", run).Scan(&n.Undo)
	if err != nil {
		return n, fmt.Errorf("read the undo of run %s: %w", run, err)
	}
	return n, nil
}
