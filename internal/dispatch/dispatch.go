// Package dispatch is the only place that sends chunks to workers.
//
// It owns the two ways: a page from the outbox, and a chunk again. It leaves what counts as lost to repair. Invariants:
// a page leaves the outbox only when every one of its chunks was accepted; a chunk that is sent again has a send of
// its own, numbered before it is sent and noted as sent after. A crash in between only means that it is sent once more.
package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/records"
)

// Records is what dispatch needs of DynamoDB.
type Records interface {
	Outbox(ctx context.Context, id string) ([]records.Left, error)
	SettleOutbox(ctx context.Context, id string, after int64, unsent []int64) error
	Chunks(ctx context.Context, id string, numbers []int64) ([]records.Checkpoint, error)
	NextSend(ctx context.Context, id string, n, spent int64, olderThan time.Time) (chunk.Message, bool, error)
	Sent(ctx context.Context, message chunk.Message) error
}

// Queue sends.
type Queue interface {
	Send(ctx context.Context, messages []chunk.Message) (unsent []int64, err error)
}

// Dispatcher sends.
type Dispatcher struct {
	records Records
	queue   Queue
}

// New makes a dispatcher.
func New(records Records, queue Queue) *Dispatcher {
	return &Dispatcher{records: records, queue: queue}
}

// Again is a chunk to be sent again; Spent is the send that the ledger has consumed.
type Again struct {
	Chunk int64
	Spent int64
}

// SendPage sends a page that was committed.
func (d *Dispatcher) SendPage(ctx context.Context, page records.Page) error {
	if len(page.Chunks) == 0 {
		return nil
	}
	messages := make([]chunk.Message, len(page.Chunks))
	for i, c := range page.Chunks {
		messages[i] = c.Message(1)
	}
	return d.send(ctx, page.Run, page.After, messages)
}

// SendOutbox sends what is in the outbox of a run, and tells how many chunks.
func (d *Dispatcher) SendOutbox(ctx context.Context, id string) (int, error) {
	all, err := d.records.Outbox(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("read the outbox of run %s: %w", id, err)
	}
	sent := 0
	for _, left := range all {
		found, err := d.records.Chunks(ctx, id, left.Chunks)
		if err != nil {
			return sent, fmt.Errorf("read a page of the outbox of run %s: %w", id, err)
		}
		messages := make([]chunk.Message, len(found))
		for i, c := range found {
			messages[i] = chunk.Chunk{Run: id, Number: c.Chunk, Range: c.Range}.Message(c.Send)
		}
		if err := d.send(ctx, id, left.After, messages); err != nil {
			return sent, err
		}
		sent += len(messages)
	}
	return sent, nil
}

func (d *Dispatcher) send(ctx context.Context, id string, after int64, messages []chunk.Message) error {
	unsent, err := d.queue.Send(ctx, messages)
	if err != nil {
		return fmt.Errorf("send the page after chunk %d of run %s: %w", after, id, err)
	}
	if err := d.records.SettleOutbox(ctx, id, after, unsent); err != nil {
		return fmt.Errorf("settle the page after chunk %d of run %s: %w", after, id, err)
	}
	return nil
}

// SendAgain sends chunks again, but for those whose last send is still on its way, and tells how many it sent.
func (d *Dispatcher) SendAgain(ctx context.Context, id string, again []Again, olderThan time.Time) (int, error) {
	var messages []chunk.Message
	for _, entry := range again {
		message, due, err := d.records.NextSend(ctx, id, entry.Chunk, entry.Spent, olderThan)
		if err != nil {
			return 0, fmt.Errorf("number the next send of chunk %d of run %s: %w", entry.Chunk, id, err)
		}
		if due {
			messages = append(messages, message)
		}
	}
	if len(messages) == 0 {
		return 0, nil
	}
	unsent, err := d.queue.Send(ctx, messages)
	if err != nil {
		return 0, fmt.Errorf("send %d chunks of run %s again: %w", len(messages), id, err)
	}
	for _, message := range messages {
		if slices.Contains(unsent, message.Chunk) {
			continue
		}
		if err := d.records.Sent(ctx, message); err != nil {
			return 0, fmt.Errorf("note that chunk %d of run %s was sent again: %w", message.Chunk, id, err)
		}
	}
	return len(messages) - len(unsent), nil
}
