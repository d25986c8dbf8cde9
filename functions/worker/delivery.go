package main

import (
	"cmp"
	"context"
	"encoding/json"

	"backfill/internal/assembly"
	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/trace"
	"backfill/internal/worker"

	"github.com/aws/aws-lambda-go/events"
)

// deliver works on each message, in the database that it is about, and names those that have to come again. One that cannot be read is named as
// well: after a few receives it is in the dead-letter queue, for a person to look at.
func deliver(ctx context.Context, workers *assembly.Several[*worker.Worker], tracer trace.Tracer, event events.SQSEvent) (events.SQSEventResponse, error) {
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	own, err := workers.For("")
	if err != nil {
		return out, err
	}
	for _, record := range event.Records {
		var message chunk.Message
		w, err := own, read(record.Body, &message)
		if err == nil {
			tracer.OfChunk(ctx, message, record.Attributes["AWSTraceHeader"])
			w, err = workers.For(message.Database)
		}
		if err == nil {
			err = w.Work(ctx, message)
		}
		if err != nil {
			cmp.Or(w, own).Lost(ctx, message, record.MessageId, err)
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return out, nil
}

func read(body string, message *chunk.Message) error {
	if err := json.Unmarshal([]byte(body), message); err != nil {
		return failure.New(failure.Invalid, "read a message: %w", err)
	}
	return nil
}
