// Package faults drives the real programs of the functions on real servers, and kills, cuts and delays them at named
// steps and at random ones: nothing is lost, nothing is done twice, and nobody has to lend a hand.
//
// It owns what is deployed, what is run and what must be true in the end; host, gateway, pipeline and cluster make the
// faults. It owns nothing but tests; `make test` starts the servers, `make chaos` is its long form.
package faults

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/dynamotest"
	"backfill/internal/faults/gateway"
	"backfill/internal/faults/host"
	"backfill/internal/faults/pipeline"
	"backfill/internal/pgtest"
	"backfill/internal/records"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// The functions.
const (
	planner  = "planner"
	worker   = "worker"
	governor = "governor"
	control  = "control"
)

// lease is the shortest that settings allow: a killed worker's chunk waits for it.
const lease = 5 * time.Second

// programs is where the functions were built.
var programs string

// tests at once: they mostly wait for leases to end, so they are more than processors.
const tests = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", tests); err != nil {
		panic(err)
	}
	os.Exit(built(m))
}

// built builds the functions once, and runs the tests.
func built(m *testing.M) int {
	folder, err := os.MkdirTemp("", "faults-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	for _, function := range []string{planner, worker, governor, control} {
		if _, err := host.Build(folder, function); err != nil {
			panic(err)
		}
	}
	programs = folder
	return m.Run()
}

// stack is what the template deploys, in processes of one test.
type stack struct {
	db      pgtest.Database
	gateway *gateway.Gateway
	log     *host.Log
	machine pipeline.Machine
	control pipeline.Function
	lanes   pipeline.Lanes
	doors   []*door
	client  *dynamodb.Client
	table   string
	records *records.Store
	bounded func(time.Duration) (context.Context, context.CancelFunc) // while the lanes are there
	moment  atomic.Pointer[func(*door, pgtest.Message) pgtest.Verdict]
}

// door is one function's environment with its own ways out.
type door struct {
	*host.Host
	function string
	postgres *pgtest.Proxy
}

// plan is what differs between stacks.
type plan struct {
	workers int
	// visibility is after what time the queue brings a message again; 0: as long as in the template, so that nobody
	// waits for it.
	visibility time.Duration
	timeout    time.Duration // of a worker's invocation; 0: a minute
	secret     func() string // where the database is, in place of a URL that never changes
}

// deploy makes a stack in front of a database.
func deploy(t *testing.T, db pgtest.Database, p plan) *stack {
	t.Helper()
	client, table := dynamotest.Table(t, nil)
	s := &stack{
		db: db, log: host.NewLog(t), gateway: gateway.New(os.Getenv(dynamotest.Endpoint), pipeline.Endpoint(t), p.secret),
		client: client, table: table, records: records.New(client, table, 24*time.Hour, time.Now),
	}
	if p.visibility == 0 {
		p.visibility = time.Hour
	}
	s.lanes.Log = s.log
	s.lanes.Queue = pipeline.NewQueue(t, p.visibility)
	s.watch(func(*door, pgtest.Message) pgtest.Verdict { return pgtest.Pass })
	variables := map[string]string{
		"TABLE_NAME": table, "STACK_NAME": "faults", "QUEUE_URL": s.lanes.Queue.URL, "LEASE_SECONDS": fmt.Sprint(int(lease / time.Second)),
		"HEARTBEAT_SECONDS": "60", "BEAT_SECONDS": "1", "LOOK_AHEAD": "6", "WORKER_CONCURRENCY": "2",
		"RUN_RETENTION_DAYS": "1", "UNDO_RETENTION_DAYS": "1", "ALLOW_INLINE_DEFINITIONS": "true",
		"EXECUTIONS": "arn:", "DEAD_LETTER_QUEUE_URL": pipeline.NewQueue(t, time.Minute).URL, "WORKER_FUNCTION": "worker", "STALL_MINUTES": "60",
	}
	s.machine = pipeline.Machine{Planner: s.host(t, planner, "planner", variables), Governor: s.host(t, governor, "governor", variables),
		Pause: 200 * time.Millisecond}
	s.control = s.host(t, control, "control", variables)
	for n := range p.workers {
		w := s.host(t, worker, fmt.Sprintf("worker %d", n+1), variables)
		w.Timeout = cmp.Or(p.timeout, w.Timeout)
		s.lanes.Workers = append(s.lanes.Workers, w)
	}
	s.serve(t)
	return s
}

// serve has the lanes deliver until the test ends: a run does not begin or end them.
func (s *stack) serve(t *testing.T) {
	t.Helper()
	life, lose := context.WithCancelCause(context.Background())
	s.bounded = func(d time.Duration) (context.Context, context.CancelFunc) { return context.WithTimeout(life, d) }
	ended := make(chan struct{})
	go func() {
		s.lanes.Serve(life, lose)
		close(ended)
	}()
	t.Cleanup(func() {
		lose(nil)
		<-ended
	})
}

func (s *stack) host(t *testing.T, function, name string, shared map[string]string) *host.Host {
	t.Helper()
	d := &door{function: function, postgres: pgtest.NewProxy(t, s.db), Host: &host.Host{
		Name: name, Program: filepath.Join(programs, function), Timeout: time.Minute, Log: s.log, Variables: map[string]string{},
	}}
	t.Cleanup(func() { d.Kill() })
	for variable, value := range shared {
		d.Variables[variable] = value
	}
	d.Variables["AWS_ENDPOINT_URL"] = s.gateway.Door(t, d)
	d.Variables["DATABASE_URL"] = d.postgres.URL
	d.postgres.Watch(func(m pgtest.Message) pgtest.Verdict { return (*s.moment.Load())(d, m) })
	s.doors = append(s.doors, d)
	return d.Host
}

// watch sets the rule for what passes between functions and Postgres.
func (s *stack) watch(rule func(*door, pgtest.Message) pgtest.Verdict) { s.moment.Store(&rule) }
