// Package runtest gives a test one run on a real Postgres and a real DynamoDB, at any point of its life.
//
// It owns the run, its chunks of 100 keys each, and what can happen to them: planned, claimed, finished, given back,
// failed, forgotten. A Line carries out whole runs, with the real planner, governor and workers. It leaves servers to
// pgtest and dynamotest. Only the queue and the clock of DynamoDB's records are not real; the clock of leases is Postgres', so
// a lease runs out by an edit of the ledger. Only tests import it.
package runtest

import (
	"context"
	"testing"
	"time"

	"backfill/internal/credentials"
	"backfill/internal/dispatch"
	"backfill/internal/dynamotest"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/records"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/jackc/pgx/v5"
)

const (
	// ID is the run's.
	ID = "run-1"
	// Execution is what the run belongs to.
	Execution = "arn:aws:states:us-east-1:123456789012:execution:backfill-backfill:run-1"
	// Later is the execution that resumes the run or takes it back.
	Later = "arn:aws:states:us-east-1:123456789012:execution:backfill-backfill:run-1-later"
	// Retention of the records of ended runs.
	Retention = 24 * time.Hour
)

// Terms are so long that nothing runs out by itself.
var Terms = ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour}

// Bench is what a test works on.
type Bench struct {
	DB         pgtest.Database
	Conn       *pgx.Conn // beside the ledger's, to look and to meddle
	Session    *postgres.Session
	Ledger     *ledger.Ledger
	Records    *records.Store
	Queue      *Queue
	Dispatcher *dispatch.Dispatcher
	Clock      *Clock
	Wire       *Wire // to DynamoDB
	Client     *dynamodb.Client
	Table      string
}

// New makes a database with the ledger's schema and an empty table of records; there is no run yet.
func New(t testing.TB) *Bench {
	t.Helper()
	return On(t, pgtest.Newest(t))
}

// On is New on a database of the test's own.
func On(t testing.TB, db pgtest.Database) *Bench {
	t.Helper()
	b := &Bench{DB: db, Clock: &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, Wire: &Wire{}, Queue: &Queue{}}
	b.Conn = b.DB.Connect(t)
	b.Session = Session(t, b.DB.URL)
	b.Ledger = ledger.New(b.Session, Terms)
	b.Client, b.Table = dynamotest.Table(t, b.Wire)
	b.Records = records.New(b.Client, b.Table, Retention, b.Clock.Now)
	b.Dispatcher = dispatch.New(b.Ledger, b.Records, b.Queue)
	must(t, b.Ledger.Migrate(context.Background()))
	return b
}

// Session is a connection of its own, as another function has it.
func Session(t testing.TB, url string) *postgres.Session {
	session := postgres.NewSession(credentials.Fixed(url), "test")
	t.Cleanup(session.Drop)
	return session
}

// Exec edits the database behind everybody's back.
func (b *Bench) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := b.Conn.Exec(context.Background(), sql, args...)
	must(t, err)
}

// Number reads one number.
func (b *Bench) Number(t testing.TB, sql string, args ...any) (n int64) {
	t.Helper()
	must(t, b.Conn.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
