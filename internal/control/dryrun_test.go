package control_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/prospect"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

const double = "name: double\ntable: counters\nset: {n: n * 2}\nwhere: n > 0\n"

// TestADryRunIsAnswered with rows before and after, and what stands in the way; nothing is stored.
func TestADryRunIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, "CREATE TABLE counters (id bigint PRIMARY KEY, n int); INSERT INTO counters SELECT g, g FROM generate_series(1, 50) g")
	var found prospect.Prospect
	must(t, json.Unmarshal([]byte(b.answer(t, map[string]any{"action": "dry_run", "definition": double, "sample": 4})), &found))
	if len(found.Sample) != 4 || found.Extent.ToWrite == nil || found.Extent.ToWrite.Value != 50 || found.Prepared < 4 || len(found.InTheWay) != 0 {
		t.Errorf("%+v", found)
	}
	if runs := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE run <> $1", runtest.ID); runs != 0 {
		t.Errorf("%d runs", runs)
	}
	for _, sample := range []int{-1, 51} {
		if told := b.refused(t, "", map[string]any{"action": "dry_run", "definition": double, "sample": sample}); !strings.Contains(told, "not within 0 to 50") {
			t.Error(told)
		}
	}
	if told := b.refused(t, "", map[string]any{"action": "dry_run", "definition": "name: double\ntable: counters\nset: {m: 1}\nwhere: k > 0\n"}); !strings.Contains(told, "2 problems") {
		t.Error(told)
	}
}

// TestWhoMayLookSeesADryRunWithoutValues: neither a sample nor the SQL of a text is for the alias that only looks.
func TestWhoMayLookSeesADryRunWithoutValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, input := range []map[string]any{
		{"action": "dry_run", "backfill": "users-country", "sample": 1},
		{"action": "dry_run", "definition": double},
	} {
		if told := b.refused(t, "read", input); !strings.Contains(told, "without a sample, and by the name of a definition only") {
			t.Errorf("%v: %s", input, told)
		}
	}
	// Served, as far as the definition itself: there is none of that name.
	if told := b.refused(t, "read", map[string]any{"action": "dry_run", "backfill": "nobody"}); !strings.Contains(told, "there is no backfill") {
		t.Error(told)
	}
	b.Exec(t, "CREATE TABLE users (id bigint PRIMARY KEY, email text, email_normalized text); INSERT INTO users SELECT g, 'A' FROM generate_series(1, 50) g")
	for alias, lines := range map[string]bool{"read": false, "": true} {
		text, err := b.ask(t, alias, map[string]any{"action": "dry_run", "backfill": "users-email-normalized"})
		must(t, err)
		var found prospect.Prospect
		must(t, json.Unmarshal([]byte(text), &found))
		if len(found.Plan.Lines) > 0 != lines || found.Plan.Verdict == "" || len(found.Sample) > 0 || found.Extent.Rows != 50 {
			t.Errorf("alias %q: %+v", alias, found)
		}
	}
}

// TestADryRunThatFailsEndsNoRun: not that of its name, nor is one recorded that was refused.
func TestADryRunThatFailsEndsNoRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ended := strings.Replace(event("ABORTED", runtest.Execution, runtest.ID, "", ""), `\"action\"`, `\"dry_run\":true,\"action\"`, 1)
	for _, name := range []string{runtest.ID, "nobody"} {
		for _, input := range []any{ended, map[string]any{"action": "close", "name": name, "execution": runtest.Execution,
			"request": map[string]any{"action": "start", "dry_run": true}, "failure": map[string]any{"Error": "Backfill.Invalid", "Cause": "it is wrong"}}} {
			if told := b.answer(t, input); !strings.Contains(told, "A dry run came to no end, and has changed nothing: ") || !strings.Contains(told, `"run":""`) {
				t.Errorf("%v: %s", input, told)
			}
		}
	}
	b.Expect(t, run.Running, "")
	if told := b.refused(t, "", `{"action":"status","run":"nobody"}`); !strings.Contains(told, "no record") {
		t.Error(told)
	}
}
