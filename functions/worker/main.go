// Command worker is the function that changes the rows of one chunk.
package main

import (
	"context"
	"os"

	"backfill/internal/assembly"
	_ "backfill/internal/backfills" // their functions
	"backfill/internal/invocation"
	"backfill/internal/settings"
	"backfill/internal/trace"
	"backfill/internal/worker"

	"github.com/aws/aws-lambda-go/events"
)

func main() { invocation.Start("worker", setup) }

func setup(ctx context.Context) (invocation.Function[events.SQSEvent, events.SQSEventResponse], error) {
	var function invocation.Function[events.SQSEvent, events.SQSEventResponse]
	s, err := settings.ForWorker(os.LookupEnv)
	if err != nil {
		return function, err
	}
	stack, err := assembly.Open(ctx, "worker", s.Shared, 0)
	if err != nil {
		return function, err
	}
	worker.CollectSeldom()
	workers := assembly.Build(stack, func(base assembly.Base) *worker.Worker {
		reads := base.Beside("worker reads").Prepare()
		return worker.New(base.Session.Prepare(), base.Ledger, base.Records, s.Lease).ReadAhead(reads).Tell(base.Gauges)
	})
	function.Handle = trace.Around(stack.Tracer, "apply", func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		return deliver(ctx, workers, stack.Tracer, event)
	})
	function.Close = stack.Drop
	return function, nil
}
