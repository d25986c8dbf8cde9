package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"backfill/internal/faults/host"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// afterAnError is how long a lane waits when the queue itself failed.
const afterAnError = 200 * time.Millisecond

// Lanes feed one worker each from the queue, as an event source mapping with batches of one does.
type Lanes struct {
	Queue   *Queue
	Workers []*host.Host
	Log     *host.Log
}

// Serve delivers until the context ends. A queue that fails is asked again; gone is called when there is none any
// more, since somebody has restarted the stack.
func (l *Lanes) Serve(ctx context.Context, gone func(error)) {
	var all sync.WaitGroup
	for _, worker := range l.Workers {
		all.Go(func() { l.lane(ctx, worker, gone) })
	}
	all.Wait()
}

func (l *Lanes) lane(ctx context.Context, worker *host.Host, gone func(error)) {
	for ctx.Err() == nil {
		err := l.step(ctx, worker)
		if err == nil || ctx.Err() != nil {
			continue
		}
		l.Log.Note("lane of "+worker.Name, err.Error())
		var missing *types.QueueDoesNotExist
		if errors.As(err, &missing) {
			gone(fmt.Errorf("the stack was restarted in the middle of the test: %w", err))
			return
		}
		_ = rest(ctx, afterAnError)
	}
}

// step delivers one message. What is not consumed comes again when its visibility timeout is over.
func (l *Lanes) step(ctx context.Context, worker *host.Host) error {
	message, err := l.Queue.receive(ctx)
	if message == nil || err != nil {
		return err
	}
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: *message.MessageId, ReceiptHandle: *message.ReceiptHandle, Body: *message.Body, EventSource: "aws:sqs",
		Attributes: message.Attributes,
	}}})
	if err != nil {
		return err
	}
	answer, err := worker.Invoke(ctx, payload)
	if err != nil || !consumed(answer, message) {
		return nil
	}
	return l.Queue.delete(ctx, message)
}

// consumed reads the report of partial failures; one that cannot be read is a failure of all.
func consumed(answer []byte, message *types.Message) bool {
	var report events.SQSEventResponse
	if err := json.Unmarshal(answer, &report); err != nil {
		return false
	}
	for _, failed := range report.BatchItemFailures {
		if failed.ItemIdentifier == *message.MessageId {
			return false
		}
	}
	return true
}
