package faults

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/faults/pipeline"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// patience bounds a run under faults.
const patience = 100 * time.Second

var names atomic.Int64

// unique gives a name that no other test, and no earlier run of the tests, has used.
func unique(prefix string) string {
	return fmt.Sprintf("%s_%x_%d", prefix, time.Now().UnixNano(), names.Add(1))
}

// work is what an execution is asked for, and what must be true when it has ended well.
type work interface {
	// request is the execution's input. One that names no run begins one.
	request() map[string]any
	// ends is the state of the run then.
	ends() run.State
	check(t *testing.T, db pgtest.Database, id string)
}

// attempt is an execution that goes on.
type attempt struct {
	stack *stack
	id    string // of the run
	name  string // of the execution
	work  work
	stop  context.CancelFunc
	halt  context.CancelFunc // stops the execution alone
	last  turn.Turn          // when it has ended
	err   error
	ended chan struct{}

	stopped     bool // by a person
	invocations sync.WaitGroup
}

// start begins an execution of the work.
func (s *stack) start(t *testing.T, w work) *attempt {
	t.Helper()
	return s.begin(t, w, patience)
}

func (s *stack) begin(t *testing.T, w work, within time.Duration) *attempt {
	t.Helper()
	a := &attempt{stack: s, name: unique("run"), work: w, ended: make(chan struct{})}
	life, stop := s.bounded(within)
	execution, halt := context.WithCancel(life)
	a.stop, a.halt = stop, halt
	t.Cleanup(stop)
	request := w.request()
	named, again := request["run"].(string)
	if a.id = named; !again {
		a.id = a.name
	}
	machine := s.machine
	machine.Planner, machine.Governor = a.outliving(life, machine.Planner), a.outliving(life, machine.Governor)
	go func() {
		a.last, a.err = machine.Run(execution, a.name, request)
		close(a.ended)
	}()
	return a
}

// outliving is a function whose invocation goes on when its execution is stopped, as on Lambda.
type outliving func(ctx context.Context, payload []byte) ([]byte, error)

func (f outliving) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

func (a *attempt) outliving(life context.Context, function pipeline.Function) outliving {
	type answer struct {
		body []byte
		err  error
	}
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		answered := make(chan answer, 1)
		a.invocations.Go(func() {
			body, err := function.Invoke(life, payload)
			answered <- answer{body, err}
		})
		select {
		case got := <-answered:
			return got.body, got.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// leave ends what the execution has left behind, when it has ended.
func (a *attempt) leave() {
	<-a.ended
	a.stop()
	a.invocations.Wait()
}

// completes waits for the end of the execution and demands that it ended well, and that its work was done.
func (a *attempt) completes(t *testing.T) {
	t.Helper()
	a.leave()
	// As the state machine tells whether it has succeeded.
	if a.err != nil || !slices.Contains([]run.State{run.Completed, run.RolledBack}, a.last.State) {
		t.Fatalf("run %s ended as %s (%s): %v", a.id, a.last.State, a.last.Reason, a.err)
	}
	a.done(t)
}

// done demands that the work was done, and that DynamoDB says so as well.
func (a *attempt) done(t *testing.T) {
	t.Helper()
	a.work.check(t, a.stack.db, a.id)
	a.stack.agrees(t, a.id, a.work.ends())
}

// agrees demands that DynamoDB's copies say what Postgres says, and that nothing is left to be sent.
func (s *stack) agrees(t *testing.T, id string, state run.State) {
	t.Helper()
	record, err := s.records.Run(t.Context(), id)
	must(t, err)
	if left := s.unsent(t, id, state); record.Status.State != state || left > 0 {
		t.Fatalf("the record of run %s is %s, want %s; %d pages are unsent", id, record.Status.State, state, left)
	}
	must(t, s.records.EachChunk(t.Context(), id, s.agreeing(t, id)))
}

// unsent counts the pages that were planned and not sent. A run that was cancelled meanwhile, and never completed, may
// leave one: it goes with the run's record.
func (s *stack) unsent(t *testing.T, id string, state run.State) int32 {
	t.Helper()
	pages := &dynamodb.QueryInput{TableName: &s.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("PK = :run AND begins_with(SK, :outbox)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": &types.AttributeValueMemberS{Value: "RUN#" + id},
			":outbox": &types.AttributeValueMemberS{Value: "OUTBOX#"}}}
	if state != run.Completed {
		pages.FilterExpression = aws.String("attribute_not_exists(expires)")
	}
	found, err := s.client.Query(t.Context(), pages)
	must(t, err)
	return found.Count
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
