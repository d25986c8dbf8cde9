// Command control is the function that operators and events invoke.
package main

import (
	"context"
	"encoding/json"
	"os"

	"backfill/internal/assembly"
	"backfill/internal/control"
	"backfill/internal/invocation"
	"backfill/internal/registry"
	"backfill/internal/routing"
	"backfill/internal/settings"
	"backfill/internal/trace"
)

func main() { invocation.Start("control", setup) }

func setup(ctx context.Context) (invocation.Function[json.RawMessage, any], error) {
	var function invocation.Function[json.RawMessage, any]
	s, err := settings.ForControl(os.LookupEnv)
	if err != nil {
		return function, err
	}
	stack, err := assembly.Open(ctx, "control", s.Shared, s.Retention)
	if err != nil {
		return function, err
	}
	known := registry.Registry{Store: stack.Records}
	controls := assembly.Build(stack, func(base assembly.Base) *control.Control { return over(base, known, s) })
	all := control.Several{Of: controls.For, Starts: routing.Starts{Runs: stack.Runs(),
		Definitions: routing.Definitions{Databases: stack.Databases(), Registry: known}}}
	function.Handle = trace.Around(stack.Tracer, "answer", func(ctx context.Context, input json.RawMessage) (any, error) {
		defer stack.Drop() // commands are rare, and many at once are as many environments: none keeps a connection while it rests
		return all.Handle(ctx, invocation.Alias(ctx), input)
	})
	function.Close = stack.Drop
	return function, nil
}
