// Command governor is the function that makes the beats of a run.
package main

import (
	"context"
	"fmt"
	"os"

	"backfill/internal/assembly"
	"backfill/internal/governor"
	"backfill/internal/invocation"
	"backfill/internal/settings"
	"backfill/internal/trace"
	"backfill/internal/turn"
)

func main() { invocation.Start("governor", setup) }

func setup(ctx context.Context) (invocation.Function[turn.Turn, turn.Turn], error) {
	var function invocation.Function[turn.Turn, turn.Turn]
	s, err := settings.ForGovernor(os.LookupEnv)
	if err != nil {
		return function, err
	}
	stack, err := assembly.Open(ctx, "governor", s.Shared, s.Retention)
	if err != nil {
		return function, err
	}
	governors := assembly.Build(stack, func(base assembly.Base) *governor.Governor { return govern(stack, base, s) })
	runs := stack.Runs()
	function.Handle = trace.Around(stack.Tracer, "beat", func(ctx context.Context, in turn.Turn) (turn.Turn, error) {
		database, err := runs.Of(ctx, in.Run)
		if err != nil {
			return in, fmt.Errorf("beat %d: %w", in.Beat, err)
		}
		g, err := governors.For(database)
		if err != nil {
			return in, err
		}
		return g.Beat(ctx, in)
	})
	function.Close = stack.Drop
	return function, nil
}
