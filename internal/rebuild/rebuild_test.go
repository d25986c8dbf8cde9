package rebuild_test

import (
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/dynamotest"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

const theRun = "run-1"

// bundle is a run over the keys 1 to 600, whose chunks have 100 keys each, with a table of records that knows nothing.
type bundle struct {
	conn    *pgx.Conn
	ledger  *ledger.Ledger
	records *records.Store
	rebuild rebuild.Rebuilder
}

func setup(t *testing.T) *bundle { return ordered(t, keyset.Ascending) }

func ordered(t *testing.T, order keyset.Order) *bundle {
	t.Helper()
	db := pgtest.Newest(t)
	db.Exec(t, "CREATE TABLE t (id bigint PRIMARY KEY, n int); INSERT INTO t SELECT g, g FROM generate_series(1, 600) g")
	session := postgres.NewSession(credentials.Fixed(db.URL), "test")
	t.Cleanup(session.Drop)
	client, table := dynamotest.Table(t, nil)
	b := &bundle{conn: db.Connect(t), ledger: ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour}),
		records: records.New(client, table, time.Hour, time.Now)}
	b.rebuild = rebuild.Rebuilder{Session: session, Ledger: b.ledger, Records: b.records}
	must(t, b.ledger.Migrate(t.Context()))
	_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "a", Execution: "arn:1", Bound: keyset.Point{"600"},
		Change: change.Change{Kind: change.Set, Table: change.Table{Schema: "public", Name: "t"},
			Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: 100, Order: order}})
	must(t, err)
	_, err = b.ledger.Move(t.Context(), theRun, run.Planning, run.Running)
	must(t, err)
	return b
}

// entry puts a chunk into the ledger.
func (b *bundle) entry(t *testing.T, number int64, lo, hi string, state chunk.State, fence int64) {
	t.Helper()
	_, err := b.conn.Exec(t.Context(), `INSERT INTO backfill.ledger (run, chunk, lo, hi, state, fence, send, scanned, position)
		VALUES ($1, $2, CASE WHEN $3 <> '' THEN ARRAY[$3] END, ARRAY[$4], $5, $6, 1, 100, CASE $5 WHEN 'COMPLETED' THEN ARRAY[$4] END)`,
		theRun, number, lo, hi, state, fence)
	must(t, err)
}

func (b *bundle) ranges(t *testing.T) []string {
	t.Helper()
	rows, err := b.conn.Query(t.Context(), `SELECT format('%s: %s-%s %s', chunk, coalesce(lo[1], ''), hi[1], state)
		FROM backfill.ledger ORDER BY chunk`)
	must(t, err)
	ranges, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return ranges
}

// TestRecordsThatWereLost: the run's record, the plan and every chunk come back; only what nobody knew is cut anew.
func TestRecordsThatWereLost(t *testing.T) {
	b := setup(t)
	b.entry(t, 2, "100", "200", chunk.Completed, 1)
	b.entry(t, 5, "400", "500", chunk.Processing, 3)
	// Rows that came and went since do not move what is known.
	_, err := b.conn.Exec(t.Context(), "DELETE FROM t WHERE id <= 90")
	must(t, err)
	_, err = b.conn.Exec(t.Context(), "INSERT INTO t SELECT -g FROM generate_series(1, 500) g")
	must(t, err)
	done, err := b.rebuild.Rebuild(t.Context(), theRun)
	must(t, err)
	if diff := cmp.Diff(rebuild.Rebuilt{Run: theRun, Chunks: 5, Gaps: 2, Planned: 5}, done); diff != "" {
		t.Fatal(diff)
	}
	want := []string{"1: -100 PENDING", "2: 100-200 COMPLETED", "3: 200-300 PENDING", "4: 300-400 PENDING", "5: 400-500 PROCESSING"}
	if diff := cmp.Diff(want, b.ranges(t)); diff != "" {
		t.Fatal(diff)
	}
	record, err := b.records.Run(t.Context(), theRun)
	must(t, err)
	if record.Status.State != run.Running || record.Execution != "arn:1" || record.Plan.Planned != 5 || record.Plan.Closed || !record.Plan.Cursor.Same(keyset.Point{"500"}) {
		t.Fatalf("%+v", record)
	}
	chunks, err := b.records.Chunks(t.Context(), theRun, []int64{1, 2, 3, 4, 5})
	must(t, err)
	if len(chunks) != 5 {
		t.Fatalf("%+v", chunks)
	}
	again, err := b.rebuild.Rebuild(t.Context(), theRun)
	must(t, err)
	if again.Gaps != 0 || again.Chunks != 5 {
		t.Fatalf("the second time: %+v", again)
	}
}

// TestAGapWithFewerRowsThanBefore keeps its numbers, so that ranges and numbers stay without holes.
func TestAGapWithFewerRowsThanBefore(t *testing.T) {
	b := setup(t)
	b.entry(t, 1, "", "100", chunk.Completed, 1)
	b.entry(t, 5, "400", "600", chunk.Completed, 1)
	_, err := b.conn.Exec(t.Context(), "DELETE FROM t WHERE id > 150 AND id <= 400")
	must(t, err)
	_, err = b.rebuild.Rebuild(t.Context(), theRun)
	must(t, err)
	want := []string{"1: -100 COMPLETED", "2: 100-400 PENDING", "3: 400-400 COMPLETED", "4: 400-400 COMPLETED", "5: 400-600 COMPLETED"}
	if diff := cmp.Diff(want, b.ranges(t)); diff != "" {
		t.Fatal(diff)
	}
	_, err = b.conn.Exec(t.Context(), "UPDATE backfill.ledger SET state = 'COMPLETED', position = hi")
	must(t, err)
	tiling, err := b.ledger.Tiling(t.Context(), theRun)
	must(t, err)
	record, err := b.records.Run(t.Context(), theRun)
	must(t, err)
	if !tiling.Complete(record.Plan.Planned) || !record.Plan.Closed {
		t.Fatalf("%+v, %+v", tiling, record.Plan)
	}
}

// TestRecordsThatAreNewerThanTheLedger: Postgres went back, so chunks that it lost are as they were planned.
func TestRecordsThatAreNewerThanTheLedger(t *testing.T) {
	b := setup(t)
	must(t, b.records.CreateRun(t.Context(), run.Status{Run: theRun, State: run.Running}, "arn:1"))
	page := records.Page{Run: theRun, Closed: true}
	for n, bounds := range [][2]string{{"", "100"}, {"100", "200"}, {"200", "600"}} {
		c := chunk.Chunk{Run: theRun, Number: int64(n + 1), Range: keyset.Range{Hi: keyset.Point{bounds[1]}}}
		if bounds[0] != "" {
			c.Range.Lo = keyset.Point{bounds[0]}
		}
		page.Chunks = append(page.Chunks, c)
	}
	must(t, b.records.CommitPage(t.Context(), page))
	for n := int64(1); n <= 3; n++ {
		must(t, b.records.Checkpoint(t.Context(), records.Checkpoint{Run: theRun, Chunk: n, State: chunk.Completed, Fence: 4}))
	}
	b.entry(t, 1, "", "100", chunk.Processing, 2)
	done, err := b.rebuild.Rebuild(t.Context(), theRun)
	must(t, err)
	if done.Planned != 3 || !done.Closed {
		t.Fatalf("%+v", done)
	}
	chunks, err := b.records.Chunks(t.Context(), theRun, []int64{1, 2, 3})
	must(t, err)
	for _, c := range chunks {
		want := map[int64]chunk.State{1: chunk.Processing, 2: chunk.Pending, 3: chunk.Pending}[c.Chunk]
		if c.State != want || c.Fence > 2 || c.SentAt.After(time.UnixMilli(0)) {
			t.Errorf("chunk %d is %s with fence %d, sent at %s", c.Chunk, c.State, c.Fence, c.SentAt)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
