package invocation_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEachLineNamesItsRun, once, whatever form the input has; that of a worker its chunk as well.
func TestEachLineNamesItsRun(t *testing.T) {
	t.Parallel()
	e := start(t, "well")
	for _, payload := range []string{
		`{"Want":"lines","run":"r1"}`,
		`{"Want":"lines","step":"begin","request":{"action":"start","run":"r2"},"name":"execution"}`,
		`{"Want":"lines","step":"begin","request":{"action":"start"},"name":"r3"}`,
		`{"Want":"lines","detail":{"name":"execution","input":"{\"run\":\"r4\"}"}}`,
		`{"Want":"lines","Records":[{"body":"{\"run\":\"r5\",\"chunk\":7}"}]}`,
		`{"Want":"lines"}`,
	} {
		e.call(payload)
	}
	runs := map[string]int{}
	for line := range strings.Lines(e.exited()) {
		if !strings.Contains(line, "a line") {
			continue
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("no JSON: %s", line)
		}
		run, _ := got["run"].(string)
		runs[run]++
		if strings.Count(line, `"run"`) > 1 || (got["chunk"] != nil) != (run == "r5") || got["function"] != "well" || got["level"] != "INFO" {
			t.Errorf("%s", line)
		}
	}
	for _, run := range []string{"r1", "r2", "r3", "r4", "r5", ""} {
		if runs[run] != 1 {
			t.Errorf("%d lines of run %q", runs[run], run)
		}
	}
	if runs["its own"] != 12 {
		t.Errorf("%v", runs)
	}
}
