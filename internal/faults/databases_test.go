package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/faults/cluster"
	"backfill/internal/faults/host"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	lambda "github.com/aws/aws-lambda-go/events"
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

// TestTwoRunsInTwoDatabases of tables of the same name go on at once, by one worker that takes a chunk of the one and then of the other. Each ledger
// knows its own run alone, a limit of the one database is none of the other's, and taking one run back leaves the other.
func TestTwoRunsInTwoDatabases(t *testing.T) {
	t.Parallel()
	s := deployTwo(t, 1, increment{rows: 6000, chunkRows: 500, slowly: 0.0005})
	a, b := s.start(t, s.at("", s.table)), s.start(t, s.at(other, s.table))
	moved(t, s.own, a.id, 0)
	moved(t, s.beside, b.id, 0)

	tuned := s.ask(t, map[string]any{"action": "tune", "database": other, "rate": 50_000, "wal": 900_000_000, "workers": 2})
	if tuned["database"] != 50_000. {
		t.Errorf("%v", tuned)
	}
	for id, want := range map[string][3]any{a.id: {nil, nil, nil}, b.id: {50_000., 900_000_000., 2.}} {
		limits := s.ask(t, map[string]any{"action": "tune", "run": id, "weight": 2})
		if got := [3]any{limits["database"], limits["database_wal"], limits["database_workers"]}; got != want {
			t.Errorf("limits of run %s: %v, want %v", id, got, want)
		}
	}
	going(t, s.own, a.id)
	going(t, s.beside, b.id)

	s.completes(t, a)
	s.completes(t, b)
	untouched(t, s.beside, a.id)
	untouched(t, s.own, b.id)
	s.interleaved(t, a.id, b.id)
	for id, want := range map[string]any{a.id: nil, b.id: other} {
		if status := s.ask(t, map[string]any{"action": "status", "run": id}); status["database"] != want || status["state"] != "COMPLETED" {
			t.Errorf("run %s is %v in database %v", id, status["state"], status["database"])
		}
	}

	back := s.start(t, s.at(other, s.table.rollback(b.id)))
	s.completes(t, back)
	s.db = s.own
	a.done(t)
	s.figured(t, a.id, b.id)
}

// interleaved demands that one worker left chunks of the two in turns.
func (s *several) interleaved(t *testing.T, ids ...string) {
	t.Helper()
	var last string
	turns := 0
	for line := range strings.Lines(s.log.String()) {
		at := slices.IndexFunc(ids, func(id string) bool { return strings.Contains(line, `"run":"`+id+`"`) })
		if !strings.Contains(line, `"message":"chunk left"`) || at < 0 {
			continue
		}
		if last != ids[at] {
			turns++
		}
		last = ids[at]
	}
	if turns < 3 {
		t.Errorf("the worker changed between the runs %d times", turns)
	}
}

// figured demands that the figures of each run are those of its database.
func (s *several) figured(t *testing.T, own, beside string) {
	t.Helper()
	for id, database := range map[string]string{own: "", beside: other} {
		found := 0
		for line := range strings.Lines(s.log.String()) {
			var figures struct{ Database, Run string }
			_, text, _ := strings.Cut(line, ": ")
			if !strings.Contains(line, `"figures"`) || json.Unmarshal([]byte(text), &figures) != nil || figures.Run != id {
				continue
			}
			found++
			if (figures.Database == other) != (database == other) {
				t.Errorf("figures of run %s are of database %s", id, figures.Database)
			}
		}
		if found == 0 {
			t.Errorf("no figures of run %s", id)
		}
	}
}

// TestALimitHoldsInItsDatabase: while one crawls, a run of the other comes to its end by the worker for which the first has no use.
func TestALimitHoldsInItsDatabase(t *testing.T) {
	t.Parallel()
	s := deployTwo(t, 2, increment{rows: 6000, chunkRows: 500, slowly: 0.0002})
	b := s.start(t, s.at(other, s.table))
	moved(t, s.beside, b.id, 0)
	s.ask(t, map[string]any{"action": "tune", "database": other, "rate": 100})
	a := s.start(t, s.at("", s.table))
	s.completes(t, a)
	going(t, s.beside, b.id)
	s.ask(t, map[string]any{"action": "tune", "database": other, "rate": 0})
	s.completes(t, b)
}

// TestARunStaysInItsDatabase, where the name is taken out of the stack for a while: then nothing is done to it, and whoever asks is told. It is resumed there
// when the name is back, and also where its records were lost.
func TestARunStaysInItsDatabase(t *testing.T) {
	t.Parallel()
	s := deployTwo(t, 1, increment{rows: 9000, chunkRows: 500, slowly: 0.0005})
	b := s.start(t, s.at(other, s.table))
	moved(t, s.beside, b.id, 0)
	s.name()
	b.leave()
	if b.err == nil || !strings.Contains(b.err.Error(), "Backfill.Permanent") {
		t.Errorf("the execution ended as %v", b.err)
	}
	s.gone(t, b.id)
	s.name(other)

	s.beside.Exec(t, "UPDATE backfill.runs SET heartbeat = heartbeat - interval '1 hour'") // nobody has watched it for a while
	again := placed{work: resumed{s.table, b.id}, database: other, db: s.beside}
	second := s.start(t, again)
	moved(t, s.beside, b.id, number(t, s.beside.Connect(t), "SELECT sum(seq) FROM backfill.ledger WHERE run = $1", b.id))
	s.ask(t, map[string]any{"action": "cancel", "run": b.id})
	second.leave()

	s.forget(t, b.id)
	s.completes(t, s.start(t, again))
	untouched(t, s.own, b.id)
	if status := s.ask(t, map[string]any{"action": "status", "run": b.id}); status["database"] != other {
		t.Errorf("the record that was made again says %v", status["database"])
	}
}

// resumed is the rest of the work of a run.
type resumed struct {
	increment
	id string
}

func (r resumed) request() map[string]any { return map[string]any{"action": "resume", "run": r.id} }

// gone demands that what is in a database which the stack does not have any more is refused, and shown.
func (s *several) gone(t *testing.T, id string) {
	t.Helper()
	before := number(t, s.beside.Connect(t), "SELECT sum(seq) FROM backfill.ledger WHERE run = $1", id)
	_, cancelled := s.answer(t, s.control.(*host.Host), map[string]any{"action": "cancel", "run": id})
	_, beaten := s.answer(t, s.machine.Governor.(*host.Host), map[string]any{"run": id, "beat": 3})
	for what, err := range map[string]error{"resume": s.begins(t, id, map[string]any{"action": "resume", "run": id}), "cancel": cancelled, "beat": beaten} {
		if err == nil || !strings.Contains(err.Error(), "Backfill.Permanent") || !strings.Contains(err.Error(), `database "orders": the stack has no such database, it has default`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	body, err := json.Marshal(chunk.Message{Run: id, Chunk: 1, Hi: []string{"500"}, Send: 9, Database: other})
	must(t, err)
	answer, err := s.answer(t, s.lanes.Workers[0], lambda.SQSEvent{Records: []lambda.SQSMessage{{MessageId: "one", Body: string(body)}}})
	if err != nil || !strings.Contains(string(answer), `"itemIdentifier":"one"`) {
		t.Errorf("the message is consumed: %s %v", answer, err)
	}
	if status := s.ask(t, map[string]any{"action": "status", "run": id}); status["state"] != "RUNNING" || status["database"] != other {
		t.Errorf("%v", status)
	}
	if after := number(t, s.beside.Connect(t), "SELECT sum(seq) FROM backfill.ledger WHERE run = $1", id); after != before {
		t.Errorf("%d batches, %d before", after, before)
	}
}

// TestAStartIsRefusedBeforeItHasAnEffect: of a database that the stack does not have, and under the id of a run of another one.
func TestAStartIsRefusedBeforeItHasAnEffect(t *testing.T) {
	t.Parallel()
	s := deployTwo(t, 1, increment{rows: 1000, chunkRows: 500})
	b := s.start(t, s.at(other, s.table))
	s.completes(t, b)

	unknown := unique("run")
	for id, c := range map[string]struct {
		database string
		says     []string
	}{
		unknown: {"order", []string{`this stack has no "order", it has default, orders`, "Databases and DatabaseSecretArns"}},
		b.id:    {"", []string{"run " + b.id + " is one of database orders already", "--run"}},
	} {
		err := s.begins(t, id, s.at(c.database, s.table).request())
		for _, part := range append(c.says, "Backfill.Invalid") {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("database %q: %v, want %q", c.database, err, part)
			}
		}
		untouched(t, s.own, id)
	}
	untouched(t, s.beside, unknown)
	if _, err := s.records.Run(t.Context(), unknown); err == nil {
		t.Error("a start that was refused has a record")
	}
	b.done(t)

	// The state machine closes what was refused: that says how the run of the id stands, and leaves it alone.
	closed := s.ask(t, map[string]any{"action": "close", "request": s.at("", s.table).request(), "execution": "arn:faults:" + b.id + "-again", "name": b.id,
		"failure": map[string]string{"Error": "Backfill.Invalid", "Cause": "taken"}})
	if closed["state"] != string(run.Completed) {
		t.Errorf("%v", closed)
	}
}

// TestEachDatabaseIsLookedAt by what is about a database as a whole, or the one that is named.
func TestEachDatabaseIsLookedAt(t *testing.T) {
	t.Parallel()
	s := deployTwo(t, 1, increment{rows: 1000, chunkRows: 500})
	a, b := s.start(t, s.at("", s.table)), s.start(t, s.at(other, s.table))
	s.completes(t, a)
	s.completes(t, b)

	for name, want := range map[string][]string{"": {"", "default", other}, other: {other}, "default": {"", "default"}} {
		var found struct {
			Checks []struct{ Name, State, Database, Text string }
		}
		asked := map[string]any{"action": "doctor"}
		if name != "" {
			asked["database"] = name
		}
		answer, err := s.answer(t, s.control.(*host.Host), asked)
		must(t, err)
		must(t, json.Unmarshal(answer, &found))
		var got []string
		for _, check := range found.Checks {
			if !slices.Contains(got, check.Database) {
				got = append(got, check.Database)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("doctor of %q looked at %q", name, got)
		}
	}
	both := s.ask(t, map[string]any{"action": "tune", "database": true, "rate": 9000})
	tuned, _ := both["databases"].([]any)
	for i, name := range []string{"default", other} {
		if one, _ := tuned[i].(map[string]any); one["name"] != name || one["database"] != 9000. {
			t.Errorf("%v", both)
		}
	}
	s.beside.Exec(t, "UPDATE backfill.runs SET ended_at = ended_at - interval '2 days'")
	if swept := s.ask(t, map[string]any{"action": "sweep"}); swept["runs"] != 1. {
		t.Errorf("%v", swept)
	}
	if _, err := s.answer(t, s.control.(*host.Host), map[string]any{"action": "doctor", "database": "order"}); err == nil || !strings.Contains(err.Error(), "it has default, orders") {
		t.Error(err)
	}
}
