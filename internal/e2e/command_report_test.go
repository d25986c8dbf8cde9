package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/report"
	"backfill/internal/run"
)

// report: of a run with a rejected row and its rollback, as a document and as a page.
func (c command) report(t *testing.T) {
	marker, table, id := unique("MARKER"), unique("command"), unique("run")
	setup(t, table, fmt.Sprintf(marked, quoted(table), marker))
	definition := fmt.Sprintf("name: numbers\ntable: %s\nset: {n: case when id = 7 then word::bigint else n + 1 end}\nchunk_rows: 10000\nerror_budget: 1\n", table)
	c.expect(t, 0, "start", "-f", write(t, definition), "--run", id, "--wait")
	c.expect(t, 0, "rollback", id, "--wait")
	var found report.Report
	must(t, json.Unmarshal([]byte(c.expect(t, 0, "report", id, "-o", "json").out), &found))
	if found.State != run.RolledBack || found.Rows.Affected != 29_999 || found.Rows.Restored != 29_999 || found.Rows.Rejected != 1 {
		t.Errorf("%s: %+v", found.State, found.Rows)
	}
	if len(found.Cells) != 3 || len(found.Points) < 2 || found.Cost.Calls < 20 || found.Cost.Dollars <= 0 {
		t.Errorf("%d cells, %d points, %+v", len(found.Cells), len(found.Points), found.Cost)
	}
	if len(found.Rejects) != 1 || found.Rejects[0].SQLState != "22P02" {
		t.Errorf("rejects %+v", found.Rejects)
	}
	page := filepath.Join(t.TempDir(), "report.html")
	c.expect(t, 0, "report", id, "-o", page)
	text, err := os.ReadFile(page)
	must(t, err)
	for part, want := range map[string]bool{id: true, "22P02": true, "29,999": true, marker: false, "https://": false, "src=": false} {
		if strings.Contains(string(text), part) != want {
			t.Errorf("the page has %q: %t, want %t", part, !want, want)
		}
	}
	if got := c.expect(t, 2, "report", id+"-gone", "-o", page); !strings.Contains(got.err, id+"-gone") {
		t.Errorf("a run that is not there: %s", got.err)
	}
}

// doctor: on a stack that is right every line is.
func (c command) doctor(t *testing.T) {
	var found struct {
		OK     bool
		Checks []struct{ Name, State, Text, Remedy string }
	}
	must(t, json.Unmarshal([]byte(c.expect(t, 0, "doctor", "-o", "json").out), &found))
	if !found.OK || len(found.Checks) < 15 {
		t.Errorf("%+v", found)
	}
	if got := c.in(t, []string{"BACKFILL_STACK=gone"}, "doctor"); got.code != 1 || !strings.Contains(got.out, "gone") {
		t.Errorf("a stack that is not there: exit code %d\n%s%s", got.code, got.out, got.err)
	}
}
