package planner_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/planner"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// dry is the call for a dry run of a definition.
func dry(t *testing.T, definition string) planner.Call {
	t.Helper()
	request, err := json.Marshal(map[string]any{"action": "start", "definition": definition, "dry_run": true})
	must(t, err)
	return planner.Call{Step: "begin", Request: request, Execution: runtest.Execution, Name: runtest.ID}
}

// TestADryRunMakesNoRun: no schema, no record, no message; the answer tells the rows, and leads to the end.
func TestADryRunMakesNoRun(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.Exec(t, "DROP SCHEMA backfill CASCADE")
	got, err := b.planner.Handle(t.Context(), dry(t, increment))
	must(t, err)
	if got.Next != turn.Dry || got.Run != "" || got.State != "" || got.DryRun == nil || got.DryRun.Extent.Rows != 1050 || got.DryRun.Extent.Chunks != 11 ||
		got.DryRun.Extent.ToWrite.Value != 1050 || got.DryRun.Table != "public.counters" || got.DryRun.Kind != "set" {
		t.Errorf("%+v", got)
	}
	if n := b.Number(t, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backfill'"); n != 0 {
		t.Error("a schema was made")
	}
	found, err := b.Client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.Table})
	must(t, err)
	if sent := b.Queue.Take(); found.Count != 0 || len(sent) != 0 {
		t.Errorf("%d records, %d messages", found.Count, len(sent))
	}
}

// TestADryRunBesideARun tells who holds the table, and touches neither the run nor its record.
func TestADryRunBesideARun(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.begin(t)
	before, sent := b.Record(t), len(b.Queue.Take())
	got, err := b.planner.Handle(t.Context(), dry(t, increment))
	must(t, err)
	if got.DryRun == nil || strings.Join(got.DryRun.InTheWay, "") != "run run-1 holds table public.counters until it ends" {
		t.Errorf("%+v", got.DryRun)
	}
	if after := b.Record(t); after.Status.State != before.Status.State || sent == 0 || len(b.Queue.Take()) != 0 {
		t.Errorf("%+v", after)
	}
}

// TestADryRunTellsStepFunctionsNoValue: a marker in each row is neither in the state machine's data nor in a log, whatever fails.
func TestADryRunTellsStepFunctionsNoValue(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	b := setup(t, 100, 6)
	b.Exec(t, "ALTER TABLE counters ADD s text; UPDATE counters SET s = 'MARKER' || n; "+
		"CREATE FUNCTION leak() RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT s FROM counters WHERE id = 10'")
	for name, definition := range map[string]string{
		"fine":        "name: a\ntable: counters\nset: {s: lower(s)}\n",
		"a bad cast":  "name: a\ntable: counters\nset: {n: s::int}\n",
		"a bad where": "name: a\ntable: counters\nset: {n: 1}\nwhere: s::int > 1\n",
		"folded":      "name: a\ntable: counters\nset: {n: 1}\nwhere: s <> leak()\n",
		"deleted":     "name: a\ntable: counters\ndelete: true\nwhere: s <> 'x'\n",
		"refused":     "name: a\ntable: counters\nset: {n: leak()::int}\n",
	} {
		got, err := b.planner.Handle(t.Context(), dry(t, definition))
		if err != nil && strings.Contains(failure.Safe(err), "MARKER") {
			t.Errorf("%s: %v", name, err)
		}
		out, err := json.Marshal(got)
		must(t, err)
		if strings.Contains(string(out), "MARKER") {
			t.Errorf("%s: %s", name, out)
		}
	}
	if strings.Contains(log.String(), "MARKER") {
		t.Errorf("logged: %s", &log)
	}
}
