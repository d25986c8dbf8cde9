package canary_test

import (
	"encoding/json"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// TestEveryKindHasACanary: what it deletes, copies, moves or computes is of the chunks of the canary, and all of that is taken back.
func TestEveryKindHasACanary(t *testing.T) {
	t.Parallel()
	const into = "copy: {into: copied, columns: {id: id, n: n}"
	for name, c := range map[string]struct{ change, left, there string }{
		"delete": {"delete: true\nwhere: n > 0\n", "SELECT count(*) FROM counters", "SELECT 3600"},
		"copy":   {into + "}\n", "SELECT count(*) FROM copied", "SELECT 400"},
		"move":   {into + ", move: true}\n", "SELECT count(*) FROM copied WHERE NOT EXISTS (SELECT FROM counters c WHERE c.id = copied.id)", "SELECT 400"},
		"join":   {"from: {s: steps}\njoin: s.id = counters.id\nset: {n: counters.n + s.by}\n", "SELECT count(*) FROM counters WHERE n <> id", "SELECT 400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			b.DB.Exec(t, `CREATE TABLE copied (id bigint PRIMARY KEY, n int, twice int); CREATE TABLE steps AS SELECT id, 1 AS by FROM counters; ALTER TABLE steps ADD PRIMARY KEY (id);
				ANALYZE; CREATE TABLE was AS TABLE counters`)
			f := b.start(t, "name: kind\ntable: counters\nchunk_rows: 100\n"+c.change, "10%").Canary.Forecast
			if got, want := b.Number(t, c.left), b.Number(t, c.there); got != want || f.Written != 400 || f.Rows == nil || f.Rows.Value != 3600 || f.WAL == nil || f.Growth == nil {
				t.Errorf("%d rows, want %d; %+v", got, want, f)
			}
			_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "no")
			must(t, err)
			b.expectEnd(t, b.goOn(t), run.Cancelled)
			b.expectEnd(t, b.line.Run(t, json.RawMessage(`{"action":"rollback","run":"run-1"}`), runtest.Later), run.RolledBack)
			if n := b.Number(t, "SELECT (SELECT count(*) FROM copied) + (SELECT count(*) FROM ((TABLE counters EXCEPT TABLE was) UNION ALL (TABLE was EXCEPT TABLE counters)) d)"); n != 0 {
				t.Errorf("%d rows are not as they were", n)
			}
		})
	}
}
