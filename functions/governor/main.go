// Command governor is the function that makes the beats of a run.
package main

import (
	"context"
	"os"
	"time"

	"backfill/internal/alarm"
	"backfill/internal/assembly"
	"backfill/internal/canary"
	"backfill/internal/closing"
	"backfill/internal/completion"
	"backfill/internal/dispatch"
	"backfill/internal/following"
	"backfill/internal/governor"
	"backfill/internal/inquiry"
	"backfill/internal/invocation"
	"backfill/internal/pausing"
	"backfill/internal/queue"
	"backfill/internal/rebuild"
	"backfill/internal/regulator"
	"backfill/internal/repair"
	"backfill/internal/settings"
	"backfill/internal/trace"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() { invocation.Start("governor", setup) }

func setup(ctx context.Context) (invocation.Function[turn.Turn, turn.Turn], error) {
	var function invocation.Function[turn.Turn, turn.Turn]
	s, err := settings.ForGovernor(os.LookupEnv)
	if err != nil {
		return function, err
	}
	base, err := assembly.Open(ctx, "governor", s.Shared, s.Retention)
	if err != nil {
		return function, err
	}
	queues := sqs.NewFromConfig(base.AWS)
	dispatcher := dispatch.New(base.Ledger, base.Records, queue.New(queues, s.Queue).Carrying(base.Tracer.Header))
	g := &governor.Governor{
		Ledger: base.Ledger, Records: base.Records,
		Repairer:  repair.New(base.Ledger, dispatcher, time.Now),
		Drainer:   repair.Drainer{Letters: queue.NewLetters(queues, s.DeadLetters), Ledger: base.Ledger, Records: base.Records, Gauges: base.Gauges},
		Completer: completion.New(base.Ledger, base.Records).Asking(inquiry.Inquirer{Session: base.Session}),
		Canaries:  canary.Canaries{Ledger: base.Ledger, Pauser: pausing.New(base.Ledger, base.Records)},
		Follower:  following.Follower{Session: base.Session, Ledger: base.Ledger, Records: base.Records},
		Rebuilder: rebuild.Rebuilder{Session: base.Session, Ledger: base.Ledger, Records: base.Records},
		Closer:    closing.New(base.Ledger, base.Records),
		Pauser:    pausing.New(base.Ledger, base.Records),
		Regulator: regulator.Regulator{Session: base.Session, Ledger: base.Ledger,
			Alarms: alarm.New(cloudwatch.NewFromConfig(base.AWS), s.Alarms, time.Now)},
		Duration: s.Beat, LookAhead: int64(s.LookAhead), MaxWorkers: int64(s.Workers),
		Stall: s.Stall, Worker: s.Worker, Gauges: base.Gauges,
	}
	function.Handle, function.Close = trace.Around(base.Tracer, "beat", g.Beat), base.Session.Drop
	return function, nil
}
