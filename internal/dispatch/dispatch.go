// Package dispatch is the only place that sends chunks to workers.
//
// It owns the ways: a page from the outbox, and a chunk again. It leaves what counts as lost to repair and ledger.
// Invariants: a page leaves the outbox only when every one of its chunks was accepted; a chunk that is sent again has a
// send of its own, which is noted after it was sent. A crash in between only means that it is sent once more.
package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/records"
)

// Records is what dispatch needs of DynamoDB.
type Records interface {
	Outbox(ctx context.Context, id string) ([]records.Left, error)
	SettleOutbox(ctx context.Context, id string, after int64, unsent []int64) error
	Chunks(ctx context.Context, id string, numbers []int64) ([]records.Checkpoint, error)
	Sent(ctx context.Context, message chunk.Message) error
}

// Ledger notes what was sent of the chunks that it knows.
type Ledger interface {
	Sent(ctx context.Context, id string, sent []ledger.Again) error
}

// Queue sends.
type Queue interface {
	Send(ctx context.Context, messages []chunk.Message) (unsent []int64, err error)
}

// Dispatcher sends.
type Dispatcher struct {
	ledger  Ledger
	records Records
	queue   stamped
}

// New makes a dispatcher.
func New(entries Ledger, records Records, queue Queue) *Dispatcher {
	return &Dispatcher{ledger: entries, records: records, queue: stamped{Queue: queue}}
}

// In has it send for runs of a database of the stack; "": its own.
func (d *Dispatcher) In(database string) *Dispatcher {
	d.queue.database = database
	return d
}

// stamped is the queue, whose messages all say which database they are about: workers serve every one.
type stamped struct {
	Queue
	database string
}

func (s stamped) Send(ctx context.Context, messages []chunk.Message) ([]int64, error) {
	for i := range messages {
		messages[i].Database = s.database
	}
	return s.Queue.Send(ctx, messages)
}

// SendPage sends chunks of a page that was committed, and takes the page from the outbox: those that are left out need no
// worker.
func (d *Dispatcher) SendPage(ctx context.Context, page records.Page) error {
	messages := make([]chunk.Message, len(page.Chunks))
	for i, c := range page.Chunks {
		messages[i] = c.Message(1)
	}
	_, err := d.send(ctx, page.Run, page.After, messages)
	return err
}

// SendOutbox sends what is in the outbox of a run, and tells which chunks were accepted.
func (d *Dispatcher) SendOutbox(ctx context.Context, id string) ([]int64, error) {
	all, err := d.records.Outbox(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the outbox of run %s: %w", id, err)
	}
	var sent []int64
	for _, left := range all {
		found, err := d.records.Chunks(ctx, id, left.Chunks)
		if err != nil {
			return sent, fmt.Errorf("read a page of the outbox of run %s: %w", id, err)
		}
		messages := make([]chunk.Message, len(found))
		for i, c := range found {
			messages[i] = chunk.Chunk{Run: id, Number: c.Chunk, Range: c.Range}.Message(c.Send)
		}
		accepted, err := d.send(ctx, id, left.After, messages)
		sent = append(sent, accepted...)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// send sends a page and takes it from the outbox, but for what was not accepted. It tells which chunks were.
func (d *Dispatcher) send(ctx context.Context, id string, after int64, messages []chunk.Message) ([]int64, error) {
	unsent, err := d.queue.Send(ctx, messages)
	accepted := without(messages, unsent)
	if err != nil {
		return accepted, fmt.Errorf("send the page after chunk %d of run %s: %w", after, id, err)
	}
	if err := d.records.SettleOutbox(ctx, id, after, unsent); err != nil {
		return accepted, fmt.Errorf("settle the page after chunk %d of run %s: %w", after, id, err)
	}
	return accepted, nil
}

// without are the numbers of the chunks that were accepted.
func without(messages []chunk.Message, unsent []int64) []int64 {
	var accepted []int64
	for _, message := range messages {
		if !slices.Contains(unsent, message.Chunk) {
			accepted = append(accepted, message.Chunk)
		}
	}
	return accepted
}

// SendAgain sends the chunks that the ledger says are to be sent, and notes it there: in this order, so that a crash in
// between only means that they are sent once more.
func (d *Dispatcher) SendAgain(ctx context.Context, id string, again []ledger.Again) (int, error) {
	if len(again) == 0 {
		return 0, nil
	}
	messages := make([]chunk.Message, len(again))
	for i, a := range again {
		messages[i] = chunk.Message{Run: id, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send}
	}
	unsent, err := d.queue.Send(ctx, messages)
	if err != nil {
		err = fmt.Errorf("send %d chunks of run %s again: %w", len(messages), id, err)
	}
	sent := slices.DeleteFunc(slices.Clone(again), func(a ledger.Again) bool { return slices.Contains(unsent, a.Chunk) })
	return len(sent), errors.Join(err, d.ledger.Sent(ctx, id, sent))
}

// mostRead is the limit of a read of records.
const mostRead = 100

// SendUnclaimed sends chunks again that no worker has ever claimed, but for those whose last send is not older than
// olderThan: they are on their way. It tells which were accepted.
func (d *Dispatcher) SendUnclaimed(ctx context.Context, id string, numbers []int64, olderThan time.Time) ([]int64, error) {
	var sent []int64
	for part := range slices.Chunk(numbers, mostRead) {
		found, err := d.records.Chunks(ctx, id, part)
		if err != nil {
			return sent, fmt.Errorf("read unclaimed chunks of run %s: %w", id, err)
		}
		slices.SortFunc(found, func(a, b records.Checkpoint) int { return cmp.Compare(a.Chunk, b.Chunk) })
		var messages []chunk.Message
		for _, c := range found {
			if c.SentAt.Before(olderThan) {
				messages = append(messages, chunk.Chunk{Run: id, Number: c.Chunk, Range: c.Range}.Message(c.Send+1))
			}
		}
		more, err := d.sendNoted(ctx, id, messages)
		if sent = append(sent, more...); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// sendNoted sends messages and notes those that were accepted.
func (d *Dispatcher) sendNoted(ctx context.Context, id string, messages []chunk.Message) ([]int64, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	unsent, err := d.queue.Send(ctx, messages)
	if err != nil {
		err = fmt.Errorf("send %d chunks of run %s again: %w", len(messages), id, err)
	}
	for _, message := range messages {
		if slices.Contains(unsent, message.Chunk) {
			continue
		}
		if noting := d.records.Sent(ctx, message); noting != nil {
			err = errors.Join(err, fmt.Errorf("note that chunk %d of run %s was sent again: %w", message.Chunk, id, noting))
		}
	}
	return without(messages, unsent), err
}
