package faults

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/faults/host"
	"backfill/internal/run"

	lambda "github.com/aws/aws-lambda-go/events"
)

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
