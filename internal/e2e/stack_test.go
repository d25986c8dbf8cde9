// Package e2e drives the deployed stack as its users do: through Step Functions, with real functions, queue, table
// and database. It owns nothing but tests; `make test` starts the stack and sets the environment.
package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"

	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/run"
)

// tests at once: they mostly wait for the beats of their runs. The workers of the stack are as many.
const tests = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", tests); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// stack is the deployed stack.
type stack struct {
	config  aws.Config
	sfn     *sfn.Client
	lambda  *lambda.Client
	sqs     *sqs.Client
	outputs map[string]string
	url     string // of the database
}

// deployed finds the stack once.
var deployed = sync.OnceValues(func() (*stack, error) {
	name := os.Getenv("BACKFILL_STACK")
	if name == "" || os.Getenv("DATABASE_URL") == "" {
		return nil, fmt.Errorf("BACKFILL_STACK and DATABASE_URL are not set: run the tests by `make test`, which starts the stack")
	}
	loaded, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, err
	}
	described, err := cloudformation.NewFromConfig(loaded).DescribeStacks(context.Background(),
		&cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, fmt.Errorf("describe stack %s: %w", name, err)
	}
	s := &stack{
		config: loaded, sfn: sfn.NewFromConfig(loaded), lambda: lambda.NewFromConfig(loaded), sqs: sqs.NewFromConfig(loaded),
		outputs: map[string]string{}, url: os.Getenv("DATABASE_URL"),
	}
	// Tests look into the ledger before the first planner of a new database has made it.
	session := postgres.NewSession(credentials.Fixed(s.url), "e2e")
	defer session.Drop()
	if err := ledger.New(session, ledger.Terms{}).Migrate(context.Background()); err != nil {
		return nil, err
	}
	for _, output := range described.Stacks[0].Outputs {
		s.outputs[*output.OutputKey] = *output.OutputValue
	}
	return s, nil
})

// bundle is a stack with a table of the test's own.
type bundle struct {
	*stack
	conn  *pgx.Conn
	table string // as a definition names it
}

var names = time.Now().UnixNano()

// setup makes a table of a unique name by DDL in which TABLE stands for it.
func setup(t *testing.T, table, ddl string) *bundle {
	t.Helper()
	s, err := deployed()
	must(t, err)
	conn, err := pgx.Connect(t.Context(), s.url)
	must(t, err)
	b := &bundle{stack: s, conn: conn, table: table}
	t.Cleanup(func() {
		b.drop(t, "TABLE "+quoted(table))
		_ = conn.Close(context.Background())
	})
	b.script(t, ddl)
	return b
}

// drop removes an object of the test; its cleanup may not use the test's context.
func (b *bundle) drop(t *testing.T, object string) {
	t.Helper()
	kind, name, _ := strings.Cut(object, " ")
	if _, err := b.conn.Exec(context.Background(), "DROP "+kind+" IF EXISTS "+name); err != nil {
		t.Error(err)
	}
}

// unique gives a name that no other test, and no earlier run of the tests, has used.
func unique(prefix string) string {
	mutex.Lock()
	defer mutex.Unlock()
	names++
	return fmt.Sprintf("%s_%x", prefix, names)
}

var mutex sync.Mutex

func quoted(name string) string { return pgx.Identifier{"public", name}.Sanitize() }

func (b *bundle) script(t *testing.T, sql string) {
	t.Helper()
	if _, err := b.conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
}

// number reads one number.
func (b *bundle) number(t *testing.T, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	must(t, b.conn.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// start begins an execution and returns the run's id and the execution's ARN.
func (b *bundle) start(t *testing.T, input map[string]any) (id, execution string) {
	t.Helper()
	id = unique("e2e")
	text, err := json.Marshal(input)
	must(t, err)
	started, err := b.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(b.outputs["BackfillStateMachineArn"]), Name: &id, Input: aws.String(string(text)),
	})
	must(t, err)
	return id, *started.ExecutionArn
}

// define begins a run of an inline definition.
func (b *bundle) define(t *testing.T, definition string) (id, execution string) {
	t.Helper()
	return b.start(t, map[string]any{"action": "start", "definition": definition})
}

// status asks control.
func (b *bundle) status(t *testing.T, id string) (run.Status, error) {
	t.Helper()
	var status run.Status
	answer, err := b.ask(t, map[string]any{"action": "status", "run": id})
	if err != nil {
		return status, err
	}
	return status, json.Unmarshal(answer, &status)
}

// control asks control and demands that it succeeds.
func (b *bundle) control(t *testing.T, input map[string]any) []byte {
	t.Helper()
	answer, err := b.ask(t, input)
	must(t, err)
	return answer
}

// ask asks control; the error is the function's own.
func (b *bundle) ask(t *testing.T, input map[string]any) ([]byte, error) {
	t.Helper()
	payload, err := json.Marshal(input)
	must(t, err)
	answer, err := b.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(b.outputs["ControlFunctionName"]), Payload: payload})
	must(t, err)
	if answer.FunctionError != nil {
		return nil, fmt.Errorf("%s", answer.Payload)
	}
	return answer.Payload, nil
}

// ended waits for the end of an execution.
func (b *bundle) ended(t *testing.T, execution string, within time.Duration) *sfn.DescribeExecutionOutput {
	t.Helper()
	var described *sfn.DescribeExecutionOutput
	waitFor(t, within, "the end of "+execution, func() bool {
		var err error
		described, err = b.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
		must(t, err)
		return described.Status != sfntypes.ExecutionStatusRunning
	})
	return described
}

// completes waits for the end and demands that the run has COMPLETED.
func (b *bundle) completes(t *testing.T, id, execution string, within time.Duration) run.Status {
	t.Helper()
	described := b.ended(t, execution, within)
	status, err := b.status(t, id)
	must(t, err)
	if described.Status != sfntypes.ExecutionStatusSucceeded || status.State != run.Completed {
		t.Fatalf("execution %s (%s), run %s (%s)", described.Status, aws.ToString(described.Cause), status.State, status.Reason)
	}
	return status
}

// waitFor polls with a deadline.
func waitFor(t *testing.T, within time.Duration, what string, met func() bool) {
	t.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(within); !met(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
