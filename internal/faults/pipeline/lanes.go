package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"backfill/internal/faults/host"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Lanes feed one worker each from the queue, as an event source mapping with batches of one does.
type Lanes struct {
	Queue   *Queue
	Workers []*host.Host
}

// Serve delivers until the context ends; the error is one that no fault of a function explains.
func (l *Lanes) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	wrong := make(chan error, len(l.Workers))
	for _, worker := range l.Workers {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := l.step(ctx, worker); err != nil && ctx.Err() == nil {
					wrong <- fmt.Errorf("feed %s: %w", worker.Name, err)
					return
				}
			}
		})
	}
	all.Wait()
	close(wrong)
	return <-wrong
}

// step delivers one message. What is not consumed comes again when its visibility timeout is over.
func (l *Lanes) step(ctx context.Context, worker *host.Host) error {
	message, err := l.Queue.receive(ctx)
	if message == nil || err != nil {
		return err
	}
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: *message.MessageId, ReceiptHandle: *message.ReceiptHandle, Body: *message.Body, EventSource: "aws:sqs",
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
