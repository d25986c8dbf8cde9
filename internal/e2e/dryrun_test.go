package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backfill/internal/prospect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// marked has a marker in each row, and rows of which a cast fails.
const marked = `CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint, word text);
	INSERT INTO %[1]s SELECT g, g, '%[2]s' || g FROM generate_series(1, 30000) g; ANALYZE %[1]s`

// TestADryRun by the command and by Step Functions: nothing is written, no run begins, and values are on the terminal alone.
func TestADryRun(t *testing.T) {
	t.Parallel()
	marker, table := unique("MARKER"), unique("dry")
	b := setup(t, table, fmt.Sprintf(marked, quoted(table), marker))
	before := b.number(t, "SELECT sum(hashtext(t::text || xmin::text)) FROM "+quoted(table)+" t")
	for name, set := range map[string]string{"fine": "{word: lower(word)}", "a cast that fails": "{n: word::bigint}"} {
		definition := fmt.Sprintf("name: dry\ntable: %s\nset: %s\nchunk_rows: 1000\n", table, set)
		id, execution := b.start(t, map[string]any{"action": "start", "definition": definition, "dry_run": true})
		described := b.ended(t, execution, 2*time.Minute)
		var summary prospect.Summary
		must(t, json.Unmarshal([]byte(aws.ToString(described.Output)), &summary))
		if described.Status != sfntypes.ExecutionStatusSucceeded || summary.Extent.Rows != 30_000 || summary.Extent.Chunks != 30 {
			t.Errorf("%s: %s, %s", name, described.Status, aws.ToString(described.Output))
		}
		if _, err := b.status(t, id); err == nil {
			t.Errorf("%s: there is a run %s", name, id)
		}
		b.keepsNo(t, execution, marker)
		var found prospect.Prospect
		must(t, json.Unmarshal(b.control(t, map[string]any{"action": "dry_run", "definition": definition, "sample": 5}), &found))
		if name == "fine" && (len(found.Sample) != 5 || !strings.HasPrefix(*found.Sample[0].Before[0], marker)) {
			t.Errorf("%+v", found.Sample)
		}
		if name != "fine" && len(found.InTheWay) == 0 {
			t.Errorf("nothing stands in the way: %+v", found)
		}
	}
	if after := b.number(t, "SELECT sum(hashtext(t::text || xmin::text)) FROM "+quoted(table)+" t"); after != before {
		t.Error("rows are others than before")
	}
	// The local stack's logs, where there are any: what the functions have written.
	logs, _ := filepath.Glob(filepath.Join("..", "..", ".local", "log", "functions", "*"))
	for _, file := range logs {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), marker) {
			t.Errorf("%s has a value", file)
		}
	}
}

// keepsNo demands that nothing that Step Functions keeps of an execution has a text.
func (b *bundle) keepsNo(t *testing.T, execution, text string) {
	t.Helper()
	history, err := b.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, IncludeExecutionData: aws.Bool(true)})
	must(t, err)
	kept, err := json.Marshal(history.Events)
	must(t, err)
	if len(history.Events) < 4 || strings.Contains(string(kept), text) {
		t.Errorf("%d events: %s", len(history.Events), kept)
	}
}

// aDryRun by the command: exit codes, and one document.
func (c command) aDryRun(t *testing.T) {
	table := unique("command")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 5_000))
	file := write(t, increment(table, 1_000))
	if got := c.expect(t, 0, "start", "-f", file, "--dry-run"); !strings.Contains(got.out, "5,000 rows in 5 chunks, counted along the key") {
		t.Errorf("%s", got.out)
	}
	var found prospect.Prospect
	must(t, json.Unmarshal([]byte(c.expect(t, 0, "start", "-f", file, "--dry-run", "-o", "json").out), &found))
	if found.Prepared == 0 || len(found.Plan.Lines) == 0 {
		t.Errorf("%+v", found)
	}
	c.expect(t, 2, "start", "-f", write(t, "name: a\ntable: "+table+"\nset: {m: 1}\n"), "--dry-run")
	c.expect(t, 0, "validate", file, "--offline")
	if wrong := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n <> id"); wrong != 0 {
		t.Errorf("%d rows were written", wrong)
	}
}
