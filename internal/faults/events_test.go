package faults

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/faults/host"
	"backfill/internal/pgtest"
)

// events are the files of events/, in an order in which they make sense, with what answers. An input of an execution comes to the
// planner as the state machine hands it on. Refused is a part of the refusal of those that want a run in another state.
var events = []struct{ name, by, refused string }{
	{"validate", control, ""}, {"dry-run", control, ""}, {"start-dry-run", execution, ""},
	{"register", registrar, ""}, {"definitions", reader, ""}, {"definition", reader, ""}, {"doctor", reader, ""},

	{"planner-begin", planner, ""}, {"approve", control, "does not wait for an approval"}, {"execution-aborted", control, ""}, {"close", control, ""},

	{"start-with-params", execution, ""}, {"planner-plan", planner, ""}, {"governor-beat", governor, ""}, {"worker-sqs", worker, ""},
	{"start", execution, "holds table"}, {"start-inline", execution, "holds table"}, {"start-registered", execution, "holds table"},
	{"start-canary", execution, "holds table"},
	{"status", reader, ""}, {"list", reader, ""}, {"chunks", reader, ""}, {"conflicts", reader, ""}, {"rejects", reader, ""},
	{"report", reader, ""}, {"certificate", reader, "has no certificate"}, {"deviations", reader, "can be verified"}, {"tune", control, ""}, {"rebuild", control, ""},
	{"pause", control, ""}, {"await", control, ""}, {"resume-paused", control, ""}, {"pause-all", control, ""}, {"resume-all", control, ""},

	{"cancel", control, ""}, {"verify", execution, "COMPLETED"}, {"resume", execution, ""}, {"retry", execution, "is RUNNING"},
	{"rollback-chunks", execution, "cancel it first"}, {"cancel", control, ""}, {"rollback", execution, ""}, {"sweep", control, ""},
}

// The ways to a function beside its own: the alias that looks, the one that registers, and an execution.
const (
	reader    = "read"
	registrar = "register"
	execution = "execution"
)

// TestEveryEventIsAnswered by the program that is deployed, through the Runtime API, as `sam local invoke` would have it.
func TestEveryEventIsAnswered(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, users)
	s, ways, answered := deploy(t, db, plan{}), map[string]*host.Host{}, map[string]bool{}
	for _, event := range events {
		answered[event.name+".json"] = true
		input, err := os.ReadFile(filepath.Join("..", "..", "events", event.name+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		if event.by == execution {
			input = begun(t, event.name, input)
		}
		if ways[event.by] == nil {
			ways[event.by] = s.by(t, event.by)
		}
		answer, err := ways[event.by].Invoke(t.Context(), input)
		if event.refused == "" && (err != nil || strings.Contains(string(answer), "itemIdentifier")) {
			t.Errorf("%s: %v %s", event.name, err, answer)
		}
		if event.refused != "" && (err == nil || !strings.Contains(err.Error(), event.refused)) {
			t.Errorf("%s: %v, want a refusal with %q", event.name, err, event.refused)
		}
	}
	files, err := os.ReadDir(filepath.Join("..", "..", "events"))
	if err != nil || len(files) != len(answered) {
		t.Errorf("events/ has %d files, and %d were answered; error %v", len(files), len(answered), err)
	}
}

// by is what is invoked.
func (s *stack) by(t *testing.T, way string) *host.Host {
	t.Helper()
	variables := s.doors[0].Variables
	switch way {
	case reader, registrar:
		aliased := s.host(t, control, control+":"+way, variables)
		aliased.Alias = way
		return aliased
	case execution:
		way = planner
	}
	return s.host(t, way, way, variables)
}

// begun is an execution's input as the state machine hands it to the planner, under the run's name where it has one.
func begun(t *testing.T, name string, input []byte) []byte {
	t.Helper()
	var asked struct{ Action, Run string }
	if err := json.Unmarshal(input, &asked); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if asked.Action == "start" && asked.Run != "" {
		name = asked.Run
	}
	text, err := json.Marshal(map[string]any{"step": "begin", "request": json.RawMessage(input), "name": name,
		"execution": "arn:aws:states:us-east-1:123456789012:execution:backfill-backfill:" + name})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return text
}

// users is the table of the example with rows for three chunks.
const users = `
CREATE TABLE public.users (id bigint PRIMARY KEY, email text, email_normalized text, email_hash bytea, full_name text NOT NULL, display_name text,
	country text NOT NULL, plan text NOT NULL, visits bigint NOT NULL DEFAULT 0, settings jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL, last_seen_at timestamptz);
INSERT INTO public.users (id, email, full_name, country, plan, created_at)
	SELECT g, ' User' || g || '@example.com', 'User ' || g, 'de', 'free', '2024-01-01' FROM generate_series(1, 250000) AS g;
ANALYZE public.users`
