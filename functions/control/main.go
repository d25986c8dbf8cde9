// Command control is the function that operators and events invoke.
package main

import (
	"context"
	"encoding/json"
	"os"

	"backfill/internal/assembly"
	"backfill/internal/checkup"
	"backfill/internal/closing"
	"backfill/internal/control"
	"backfill/internal/execution"
	"backfill/internal/invocation"
	"backfill/internal/ledger"
	"backfill/internal/pausing"
	"backfill/internal/rebuild"
	"backfill/internal/registry"
	"backfill/internal/rehearsal"
	"backfill/internal/review"
	"backfill/internal/settings"
	"backfill/internal/trace"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

func main() { invocation.Start("control", setup) }

func setup(ctx context.Context) (invocation.Function[json.RawMessage, any], error) {
	var function invocation.Function[json.RawMessage, any]
	s, err := settings.ForControl(os.LookupEnv)
	if err != nil {
		return function, err
	}
	base, err := assembly.Open(ctx, "control", s.Shared, s.Retention)
	if err != nil {
		return function, err
	}
	known := registry.Registry{Store: base.Records}
	reviewer := review.Reviewer{Session: base.Session, Registry: known, Inline: s.Inline}
	c := &control.Control{
		Ledger: base.Ledger, Records: base.Records, Closer: closing.New(base.Ledger, base.Records),
		Pauser:   pausing.New(base.Ledger, base.Records),
		Reviewer: reviewer, Registry: known, Rehearser: rehearsal.Rehearser{Session: base.Session, Ledger: base.Ledger, Reviewer: reviewer},
		Rebuilder:  rebuild.Rebuilder{Session: base.Session, Ledger: base.Ledger, Records: base.Records},
		Examiner:   checkup.Examiner{Session: base.Session, Records: base.Records, Schema: ledger.Version, Workers: int64(s.Workers)},
		Executions: execution.New(sfn.NewFromConfig(base.AWS)), UndoRetention: s.UndoRetention, Own: s.Executions,
		Workers: int64(s.Workers), Gauges: base.Gauges,
	}
	function.Handle = trace.Around(base.Tracer, "answer", func(ctx context.Context, input json.RawMessage) (any, error) {
		defer base.Session.Drop() // commands are rare, and many at once are as many environments: none keeps a connection while it rests
		return c.Handle(ctx, invocation.Alias(ctx), input)
	})
	function.Close = base.Session.Drop
	return function, nil
}
