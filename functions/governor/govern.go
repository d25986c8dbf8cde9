package main

import (
	"context"
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
	"backfill/internal/pausing"
	"backfill/internal/queue"
	"backfill/internal/rebuild"
	"backfill/internal/regulator"
	"backfill/internal/repair"
	"backfill/internal/settings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// govern makes the governor of a database's runs. The dead-letter queue is that of all.
func govern(stack *assembly.Stack, base assembly.Base, s settings.Governor) *governor.Governor {
	queues := sqs.NewFromConfig(base.AWS)
	dispatcher := dispatch.New(base.Ledger, base.Records, queue.New(queues, s.Queue).Carrying(base.Tracer.Header)).In(base.Database)
	return &governor.Governor{
		Ledger: base.Ledger, Records: base.Records,
		Repairer: repair.New(base.Ledger, dispatcher, time.Now),
		Drainer: repair.Drainer{
			Letters: queue.NewLetters(queues, s.DeadLetters), Ledger: base.Ledger, Records: base.Records, Gauges: base.Gauges, Database: base.Database,
			Others: func(ctx context.Context, database string) (repair.Graves, error) { return stack.Reach(ctx, database) },
		},
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
}
