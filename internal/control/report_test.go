package control_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/report"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// TestARunIsReported from its start to its end, with a row that it passed over: by the alias that looks, without the row's value.
func TestARunIsReported(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, `CREATE TABLE marked (id bigint PRIMARY KEY, a text, b text CHECK (b <> 'S3CRET')); INSERT INTO marked SELECT g, CASE g WHEN 333 THEN 's3cret' ELSE 'a' END
		FROM generate_series(1, 2000) g; ANALYZE marked`)
	b := runtest.On(t, db)
	line := b.Line(t)
	input, err := json.Marshal(map[string]any{"action": "start", "run": runtest.ID,
		"definition": "name: upper\ntable: marked\nset: {b: upper(a)}\nchunk_rows: 100\nerror_budget: 5\n"})
	must(t, err)
	if ended := line.Run(t, input, runtest.Execution); ended.Next != turn.End || ended.State != run.Completed {
		t.Fatalf("%+v", ended)
	}
	over := &bundle{Bench: b, control: controlOver(b, &stops{})}
	answer, err := over.ask(t, "read", `{"action":"report","run":"run-1"}`)
	must(t, err)
	var r report.Report
	must(t, json.Unmarshal([]byte(answer), &r))
	last := r.Points[len(r.Points)-1]
	if r.State != run.Completed || r.EndedAt == nil || r.Rows.Scanned != 2000 || r.Rows.Affected != 1999 || last.State != run.Completed || last.Handled != 2000 || last.Done != 20 {
		t.Errorf("%+v, at last %+v", r.Rows, last)
	}
	if len(r.Cells) != 20 || r.Cells[3].Rejected != 1 || r.Cells[3].Keys != "(300, 400]" || r.Cells[0].Seconds <= 0 || r.Times.Workers <= 0 || r.Times.Moving <= 0 {
		t.Errorf("%+v of %d, %+v", r.Cells[3], len(r.Cells), r.Times)
	}
	if len(r.Rejects) != 1 || r.Rejects[0] != (report.Rejects{SQLState: "23514", Rows: 1, Chunks: 1}) || r.Cost.Calls < 100 || r.Cost.Dollars <= 0 {
		t.Errorf("%+v, %+v", r.Rejects, r.Cost)
	}
	if lines := r.Log.Lines; len(lines) < 2 || lines[len(lines)-1].State != run.Completed {
		t.Errorf("%+v", lines)
	}
	var page bytes.Buffer
	must(t, report.HTML(&page, r))
	if found := answer + page.String(); strings.Contains(strings.ToLower(found), "s3cret") || !strings.Contains(found, "Rows per second") {
		t.Error("a value of a row is in the report, or no picture")
	}
	for _, bad := range []string{`{"action":"report"}`, `{"action":"report","run":"nobody"}`, `{"action":"report","run":"run-1","limit":3}`} {
		over.refused(t, "read", bad)
	}
}
