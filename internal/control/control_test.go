package control_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/google/go-cmp/cmp"
)

func TestAnUnknownActionIsToldWhichThereAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, input := range []string{`{"action":"stop","run":"run-1"}`, `{}`, `{"detail-type":"something else"}`} {
		if told := b.refused(t, "", input); !strings.Contains(told, "approve, await, cancel, certificate, chunks, close, conflicts, definitions, deviations, doctor, dry_run, list, pause, rebuild, rejects, report, resume, status, sweep, tune, validate") {
			t.Errorf("%s: %s", input, told)
		}
	}
	for _, input := range []string{`"status"`, `[]`, `7`, `{"action":7}`} {
		if told := b.refused(t, "", input); !strings.Contains(told, `{"action":"status","run":"..."}`) {
			t.Errorf("%s: %s", input, told)
		}
	}
}

func TestUnknownKeysAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, input := range []string{
		`{"action":"status","run":"run-1","verbose":true}`,
		`{"action":"list","limit":3,"run":"run-1"}`,
		`{"action":"cancel","run":"run-1","reason":"enough"}`,
		`{"action":"validate","definition":"name: x","run":"run-1"}`,
		`{"action":"close","name":"run-1","execution":"arn","failure":{"Error":"x","Message":"y"}}`,
		`{"action":"status","run":["run-1"]}`,
	} {
		if told := b.refused(t, "", input); !strings.Contains(told, "read the input") {
			t.Errorf("%s: %s", input, told)
		}
	}
	b.Expect(t, run.Running, "")
}

func TestARunHasToBeNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, action := range []string{"status", "cancel"} {
		if told := b.refused(t, "", `{"action":"`+action+`"}`); !strings.Contains(told, `"run" is missing`) {
			t.Errorf("%s: %s", action, told)
		}
		if told := b.refused(t, "", `{"action":"`+action+`","run":"nobody"}`); !strings.Contains(told, "nobody") {
			t.Errorf("%s: %s", action, told)
		}
	}
}

// TestTheAliasReadLooksOnly: IAM grants it like a function of its own.
func TestTheAliasReadLooksOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, input := range []string{`{"action":"status","run":"run-1"}`, `{"action":"list"}`, `{"action":"chunks","run":"run-1"}`} {
		_, err := b.ask(t, "read", input)
		must(t, err)
	}
	for _, input := range []string{
		`{"action":"cancel","run":"run-1"}`,
		`{"action":"validate","definition":"name: x"}`,
		`{"action":"close","name":"run-1","execution":"` + runtest.Execution + `","failure":{"Error":"x"}}`,
	} {
		if told := b.refused(t, "read", input); !strings.Contains(told, `the alias "read" does not serve`) {
			t.Errorf("%s: %s", input, told)
		}
	}
	b.refused(t, "read", event("ABORTED", runtest.Execution, "run-1", "", ""))
	b.Expect(t, run.Running, "")
	if len(b.stops.asked) > 0 {
		t.Fatalf("%+v", b.stops.asked)
	}
}

func TestStatusIsTheRecordUnderItsFixedNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answer := b.answer(t, `{"action":"status","run":"run-1"}`)
	b.expectStatus(t, answer, run.Running, "")
	var fields map[string]any
	must(t, json.Unmarshal([]byte(answer), &fields))
	for _, part := range []struct {
		of   any
		want string
	}{
		{fields, "action average backfill changes chunks concurrency ended_at eta eta_spread failures pause rate reason rows run started_at state striping table throttle undo updated_at"},
		{fields["chunks"], "all_planned completed failed pending processing retries rolled_back total"},
		{fields["rows"], "affected conflicts estimated rejected restored scanned"},
		{fields["throttle"], "limits rate reason"},
	} {
		names := slices.Sorted(maps.Keys(part.of.(map[string]any)))
		if diff := cmp.Diff(strings.Fields(part.want), names); diff != "" {
			t.Error(diff)
		}
	}
}

func TestListIsNewestFirstAndBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 24 {
		b.Clock.Pass(time.Minute)
		must(t, b.Records.RecordEnd(t.Context(), "refused-"+b.Clock.Now().Format("1504"), "users", "", run.Failed, "unknown column"))
	}
	for limit, want := range map[string]int{``: 20, `,"limit":0`: 20, `,"limit":3`: 3, `,"limit":100`: 25} {
		runs := b.list(t, limit)
		if len(runs) != want {
			t.Errorf("%q: %d runs", limit, len(runs))
		}
		if !slices.IsSortedFunc(runs, func(x, y run.Status) int { return y.StartedAt.Compare(x.StartedAt) }) {
			t.Errorf("%q: not by their start: %+v", limit, runs)
		}
	}
	for _, limit := range []string{"-1", "101", `"all"`, "1.5"} {
		b.refused(t, "", `{"action":"list","limit":`+limit+`}`)
	}
}

func (b *bundle) list(t *testing.T, limit string) []run.Status {
	t.Helper()
	var answer struct{ Runs []run.Status }
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"list"`+limit+`}`)), &answer))
	return answer.Runs
}

// TestAnEmptyListIsAList: a script need not know null.
func TestAnEmptyListIsAList(t *testing.T) {
	t.Parallel()
	b := &bundle{Bench: runtest.New(t)}
	b.control = controlOver(b.Bench, nil)
	if answer := b.answer(t, `{"action":"list"}`); answer != `{"runs":[]}` {
		t.Fatal(answer)
	}
}

func TestValidateTellsWhatWouldRunAndStoresNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.DB.Exec(t, "CREATE TABLE users (id bigint PRIMARY KEY, email text, shout text); INSERT INTO users VALUES (7, 'a'); ANALYZE users")
	before := b.Number(t, "SELECT count(*) FROM backfill.runs")
	got := b.answer(t, map[string]any{"action": "validate", "definition": "name: shout\ntable: users\nset: {shout: upper(email)}\n"})
	want := `{"backfill":"shout","change":{"kind":"set","table":{"schema":"public","name":"users"},"key":[{"name":"id","type":"bigint"}],` +
		`"set":[{"column":"shout","type":"text","base":"text","expression":"upper(email)"}],"undo":true,"row_bytes":16384,"verify":{"values":true},"chunk_rows":100000},"estimated":1,"notes":`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	told := b.refused(t, "", map[string]any{"action": "validate", "definition": "name: shout\ntable: users\nset: {shuot: upper(email)}\n"})
	if !strings.Contains(told, "shuot") {
		t.Error(told)
	}
	if after := b.Number(t, "SELECT count(*) FROM backfill.runs"); after != before {
		t.Errorf("%d runs are stored, before %d", after, before)
	}
}

// TestWhatControlCallsInDynamoDB: its role in template.yaml grants these, and no more (package template holds it).
func TestWhatControlCallsInDynamoDB(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var mutex sync.Mutex
	calls := map[string]bool{}
	b.Wire.Before = func(operation string) {
		mutex.Lock()
		defer mutex.Unlock()
		calls[operation] = true
	}
	b.answer(t, `{"action":"list"}`)
	b.answer(t, `{"action":"chunks","run":"run-1"}`)
	b.answer(t, `{"action":"cancel","run":"run-1"}`)
	b.answer(t, event("ABORTED", "arn:2", "refused", "", ""))
	want := []string{"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(calls))); diff != "" {
		t.Fatal(diff)
	}
}
