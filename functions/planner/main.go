// Command planner is the function that begins runs and cuts their chunks.
package main

import (
	"context"
	"os"

	"backfill/internal/assembly"
	"backfill/internal/dispatch"
	"backfill/internal/invocation"
	"backfill/internal/planner"
	"backfill/internal/queue"
	"backfill/internal/rebuild"
	"backfill/internal/registry"
	"backfill/internal/rehearsal"
	"backfill/internal/review"
	"backfill/internal/routing"
	"backfill/internal/settings"
	"backfill/internal/trace"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() { invocation.Start("planner", setup) }

func setup(ctx context.Context) (invocation.Function[planner.Call, turn.Turn], error) {
	var function invocation.Function[planner.Call, turn.Turn]
	s, err := settings.ForPlanner(os.LookupEnv)
	if err != nil {
		return function, err
	}
	stack, err := assembly.Open(ctx, "planner", s.Shared, 0)
	if err != nil {
		return function, err
	}
	known := registry.Registry{Store: stack.Records}
	planners := assembly.Build(stack, func(base assembly.Base) *planner.Planner {
		reviewer := review.Reviewer{Session: base.Session, Registry: known, Inline: s.Inline}
		messages := queue.New(sqs.NewFromConfig(base.AWS), s.Queue).Carrying(base.Tracer.Header)
		return &planner.Planner{
			Session: base.Session, Ledger: base.Ledger, Records: base.Records,
			Dispatcher: dispatch.New(base.Ledger, base.Records, messages).In(base.Database),
			Reviewer:   reviewer, Rehearser: rehearsal.Rehearser{Session: base.Session, Ledger: base.Ledger, Reviewer: reviewer},
			Rebuilder: rebuild.Rebuilder{Session: base.Session, Ledger: base.Ledger, Records: base.Records},
			LookAhead: int64(s.LookAhead),
		}
	})
	starts := routing.Starts{Runs: stack.Runs(), Definitions: routing.Definitions{Databases: stack.Databases(), Registry: known}}
	function.Handle = trace.Around(stack.Tracer, "plan", func(ctx context.Context, call planner.Call) (turn.Turn, error) {
		return plan(ctx, starts, planners, call)
	})
	function.Close = stack.Drop
	return function, nil
}
