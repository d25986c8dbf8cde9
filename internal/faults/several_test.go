package faults

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/faults/host"
	"backfill/internal/pgtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// other is the name of a database beside the stack's own: a server of its own, with a secret, over TLS that is verified.
const other = "orders"

// placed is work in a database that its definition names; "": the stack's own.
type placed struct {
	work
	database string
	db       pgtest.Database
}

func (p placed) request() map[string]any {
	asked := p.work.request()
	if text, starts := asked["definition"].(string); starts && p.database != "" {
		asked["definition"] = "database: " + p.database + "\n" + text
	}
	return asked
}

func (p placed) check(t *testing.T, _ pgtest.Database, id string) {
	t.Helper()
	p.work.check(t, p.db, id)
}

// several is a stack of two databases that have a table of the same name.
type several struct {
	*stack
	own, beside pgtest.Database
	table       increment
}

// deployTwo makes it, with some workers for both.
func deployTwo(t *testing.T, workers int, w increment) *several {
	t.Helper()
	own := pgtest.Newest(t)
	server := cluster.New(t, own)
	authority := server.Encrypt(t)
	s := &several{stack: deploy(t, own, plan{workers: workers, secret: func() string { return cluster.Secret(server.Address()) }}), own: own, beside: server.Database()}
	for _, d := range s.doors {
		d.Variables["SSL_CERT_FILE"] = authority
	}
	s.name(other)
	w.table = unique("counters")
	s.table = w.fillTable(t, s.own).fillTable(t, s.beside)
	return s
}

// name deploys the stack anew, with these databases beside its own.
func (s *several) name(names ...string) {
	arns := make([]string, len(names))
	for i, name := range names {
		arns[i] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:" + name + "-AbCdEf"
	}
	for _, d := range s.doors {
		d.Variables["DATABASES"], d.Variables["DATABASE_SECRET_ARNS"] = strings.Join(names, ","), strings.Join(arns, ",")
		d.Kill()
	}
}

func (s *several) at(database string, w work) placed {
	return placed{work: w, database: database, db: map[string]pgtest.Database{"": s.own, other: s.beside}[database]}
}

// completes demands that an execution ended well, and that the ledger of its database and the records tell the same.
func (s *several) completes(t *testing.T, a *attempt) {
	t.Helper()
	s.db = a.work.(placed).db
	a.completes(t)
}

// forget loses all records of a run.
func (s *several) forget(t *testing.T, id string) {
	t.Helper()
	found, err := s.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.stack.table, FilterExpression: aws.String("begins_with(PK, :run)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": &types.AttributeValueMemberS{Value: "RUN#" + id}}})
	must(t, err)
	for _, kept := range found.Items {
		_, err := s.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.stack.table, Key: map[string]types.AttributeValue{"PK": kept["PK"], "SK": kept["SK"]}})
		must(t, err)
	}
}

// ask has control answer.
func (s *several) ask(t *testing.T, input map[string]any) (answer map[string]any) {
	t.Helper()
	text, err := s.answer(t, s.control.(*host.Host), input)
	must(t, err)
	must(t, json.Unmarshal(text, &answer))
	return answer
}

func (s *several) answer(t *testing.T, by *host.Host, input any) ([]byte, error) {
	t.Helper()
	payload, err := json.Marshal(input)
	must(t, err)
	return by.Invoke(t.Context(), payload)
}

// begins is what the planner says to a start.
func (s *several) begins(t *testing.T, id string, request map[string]any) error {
	t.Helper()
	_, err := s.answer(t, s.machine.Planner.(*host.Host), map[string]any{"step": "begin", "request": request, "name": id, "execution": "arn:faults:" + id + "-again"})
	return err
}

// untouched demands that a database knows nothing of a run.
func untouched(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	conn := db.Connect(t)
	if number(t, conn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backfill'") > 0 &&
		number(t, conn, "SELECT (SELECT count(*) FROM backfill.runs WHERE run = $1) + (SELECT count(*) FROM backfill.ledger WHERE run = $1)", id) > 0 {
		t.Errorf("a ledger knows run %s of another database", id)
	}
}

// moved waits until a run has committed more than so many batches.
func moved(t *testing.T, db pgtest.Database, id string, batches int64) {
	t.Helper()
	pgtest.WaitUntil(t, db.Connect(t), "SELECT to_regclass('backfill.ledger') IS NOT NULL")
	pgtest.WaitUntil(t, db.Connect(t), fmt.Sprintf("SELECT coalesce(sum(seq), 0) > %d FROM backfill.ledger WHERE run = '%s'", batches, id))
}

// going demands that a run has not ended.
func going(t *testing.T, db pgtest.Database, id string) {
	t.Helper()
	if number(t, db.Connect(t), "SELECT count(*) FROM backfill.runs WHERE ended_at IS NULL AND run = $1", id) != 1 {
		t.Errorf("run %s has ended", id)
	}
}
