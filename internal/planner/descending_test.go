package planner_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const downwards = increment + "order: descending\n"

// tops are tables with keys of every kind, of 1,050 rows each, and the condition of the 100 greatest.
var tops = map[string]struct{ ddl, top string }{
	"bigint": {`CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL); INSERT INTO counters SELECT 10 * g, g FROM generate_series(-500, 549) g`, "id > 4490"},
	"text": {`CREATE TABLE counters (id text PRIMARY KEY, n int NOT NULL); INSERT INTO counters SELECT md5(g::text), g FROM generate_series(1, 1050) g`,
		"id >= (SELECT id FROM counters ORDER BY id DESC LIMIT 1 OFFSET 99)"},
	"uuid": {`CREATE TABLE counters (id uuid PRIMARY KEY, n int NOT NULL); INSERT INTO counters SELECT md5(g::text)::uuid, g FROM generate_series(1, 1050) g`,
		"id >= (SELECT id FROM counters ORDER BY id DESC LIMIT 1 OFFSET 99)"},
	"composite": {`CREATE TABLE counters (tenant text, at timestamptz, id numeric, n int NOT NULL, PRIMARY KEY (tenant, at, id));
		INSERT INTO counters SELECT CASE WHEN g % 4 = 0 THEN 'b' ELSE 'a' END, timestamptz '2024-01-01' + (g / 400) * interval '1 day', g * 1.10, g FROM generate_series(1, 1050) g`,
		"(tenant, at, id) >= (SELECT tenant, at, id FROM counters ORDER BY tenant DESC, at DESC, id DESC LIMIT 1 OFFSET 99)"},
	"partitions by range": {`CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL) PARTITION BY RANGE (id);
		CREATE TABLE c1 PARTITION OF counters FOR VALUES FROM (MINVALUE) TO (500); CREATE TABLE c2 PARTITION OF counters FOR VALUES FROM (500) TO (1000);
		CREATE TABLE c3 PARTITION OF counters DEFAULT; INSERT INTO counters SELECT g, g FROM generate_series(1, 1050) g`, "id > 950"},
	"partitions by hash": {`CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL) PARTITION BY HASH (id);
		CREATE TABLE c0 PARTITION OF counters FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE c1 PARTITION OF counters FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO counters SELECT g, g FROM generate_series(1, 1050) g`, "id > 950"},
}

// TestARunGoesDown over keys of every kind: the first chunk has the greatest, each row is changed once, all chunks tile the key space, and a rollback gives
// each its value back.
func TestARunGoesDown(t *testing.T) {
	t.Parallel()
	for name, table := range tops {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			db.Exec(t, table.ddl+"; ANALYZE counters; CREATE TABLE before AS TABLE counters")
			b := &bundle{Bench: runtest.On(t, db)}
			line := b.Line(t)
			b.expectEnd(t, line.Run(t, startOf(runtest.ID, downwards).Request, runtest.Execution), run.Completed)
			b.expectDown(t, runtest.ID, 11)
			if n := b.Number(t, "SELECT count(*) FROM counters JOIN before USING ("+keyOf(name)+") WHERE counters.n = before.n + 1"); n != 1050 {
				t.Errorf("%s: %d rows were changed once", name, n)
			}
			b.expectFirst(t, name, table.top)
			b.expectEnd(t, line.Run(t, errand("rollback").Request, runtest.Later), run.RolledBack)
			if n := b.Number(t, "SELECT count(*) FROM (TABLE counters EXCEPT TABLE before) AS other"); n != 0 {
				t.Errorf("%s: %d rows have another value than before", name, n)
			}
		})
	}
}

func keyOf(name string) string {
	if name == "composite" {
		return "tenant, at, id"
	}
	return "id"
}

// expectFirst demands that the first chunk has the 100 greatest keys, and those alone.
func (b *bundle) expectFirst(t *testing.T, name, top string) {
	t.Helper()
	casts := map[string]string{"text": "text", "uuid": "uuid", "composite": ""}
	within := "id > lo[1]::bigint AND id <= hi[1]::bigint"
	if cast := casts[name]; cast != "" {
		within = strings.ReplaceAll(within, "bigint", cast)
	}
	if name == "composite" {
		within = "(tenant, at, id) > (lo[1], lo[2]::timestamptz, lo[3]::numeric) AND (tenant, at, id) <= (hi[1], hi[2]::timestamptz, hi[3]::numeric)"
	}
	sql := fmt.Sprintf("SELECT count(*) FROM counters, backfill.ledger WHERE chunk = 1 AND %s AND (%s)", within, top)
	if n := b.Number(t, sql); n != 100 {
		t.Errorf("%s: %d of the greatest keys are in the first chunk", name, n)
	}
	if n := b.Number(t, "SELECT scanned FROM backfill.ledger WHERE chunk = 1"); n != 100 {
		t.Errorf("%s: the first chunk has %d keys", name, n)
	}
}

func (b *bundle) expectEnd(t *testing.T, got turn.Turn, state run.State) {
	t.Helper()
	if got.Next != turn.End || got.State != state {
		t.Fatalf("%+v", got)
	}
}

// expectDown demands that so many chunks are planned, each of which begins where the one before ended, from the bound down to the first key.
func (b *bundle) expectDown(t *testing.T, id string, chunks int) []records.Checkpoint {
	t.Helper()
	var all []records.Checkpoint
	must(t, b.Records.EachChunk(t.Context(), id, func(some []records.Checkpoint) error {
		all = append(all, some...)
		return nil
	}))
	slices.SortFunc(all, func(a, b records.Checkpoint) int { return cmp.Compare(a.Chunk, b.Chunk) })
	stored, err := b.Ledger.Run(t.Context(), id)
	must(t, err)
	hi := stored.Bound
	for i, c := range all {
		if c.Chunk != int64(i)+1 || !c.Range.Hi.Same(hi) || (c.Range.Lo == nil) != (i == len(all)-1) {
			t.Fatalf("chunk %d of %d is %+v, below %v", i+1, len(all), c.Range, hi)
		}
		hi = c.Range.Lo
	}
	if len(all) != chunks {
		t.Fatalf("%d chunks are planned, want %d", len(all), chunks)
	}
	return all
}

// TestAPlanGoesDown page by page, no further ahead than an upward one: the first page is small, and its first chunk has the greatest keys.
func TestAPlanGoesDown(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, downwards))
	must(t, err)
	if first := b.Queue.Take()[0]; first.Chunk != 1 || !first.Hi.Same(keyset.Point{"10500"}) || !first.Lo.Same(keyset.Point{"9500"}) {
		t.Errorf("%+v was sent first", first)
	}
	if plan := b.Record(t).Plan; plan.Planned != 6 || plan.Closed || !plan.Cursor.Same(keyset.Point{"4500"}) {
		t.Errorf("%+v", plan)
	}
	b.planner = b.another(t, b.DB.URL, 100)
	b.plan(t)
	if plan := b.Record(t).Plan; plan.Planned != 11 || !plan.Closed || plan.Cursor != nil {
		t.Errorf("%+v", plan)
	}
	b.expectDown(t, runtest.ID, 11)
}

// TestADownwardStartGoesOnWhereverAPlannerDied: killed before and after each call of DynamoDB and each send.
func TestADownwardStartGoesOnWhereverAPlannerDied(t *testing.T) {
	t.Parallel()
	b := setup(t, 450, 9)
	expect := func(id string) {
		t.Helper()
		all, sent := b.expectDown(t, id, 5), b.Queue.Take()
		arrived := map[int64]bool{}
		for _, m := range sent {
			if planned := all[m.Chunk-1].Range; m.Run != id || m.Send != 1 || !m.Lo.Same(planned.Lo) || !m.Hi.Same(planned.Hi) {
				t.Fatalf("%+v was sent, planned is %+v", m, planned)
			}
			arrived[m.Chunk] = true
		}
		record, err := b.Records.Run(t.Context(), id)
		must(t, err)
		if left, err := b.Records.Outbox(t.Context(), id); err != nil || len(left) > 0 || len(arrived) != 5 || !record.Plan.Closed {
			t.Fatalf("%d chunks were sent, in the outbox: %v, %v; %+v", len(arrived), left, err, record.Plan)
		}
	}
	n := 1
	for ; b.dies(t, n, downwards); n++ {
		id := fmt.Sprintf("run-%d", n)
		_, err := b.planner.Handle(t.Context(), startOf(id, downwards))
		must(t, err)
		expect(id)
	}
	if n < 20 {
		t.Fatalf("a start has only %d moments", n)
	}
}

// TestRowsThatComeWhileARunGoesDown: below the walk they are changed, above the bound they are not, and none twice.
func TestRowsThatComeWhileARunGoesDown(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, downwards))
	must(t, err)
	b.DB.Exec(t, "INSERT INTO counters SELECT 10 * g, g FROM generate_series(-300, 0) g; INSERT INTO counters SELECT 10 * g, g FROM generate_series(1051, 1200) g; "+
		"DELETE FROM counters WHERE id BETWEEN 4400 AND 4600")
	sent := b.Queue.Take()
	line := b.Line(t)
	_, err = b.Queue.Send(t.Context(), sent)
	must(t, err)
	b.expectEnd(t, line.Watch(t, turn.Turn{Run: runtest.ID, Next: turn.Beat}), run.Completed)
	if n := b.Number(t, "SELECT count(*) FROM counters WHERE n <> id / 10 + CASE WHEN id > 10500 THEN 0 ELSE 1 END"); n != 0 {
		t.Errorf("%d rows are not what they should be", n)
	}
	b.expectDown(t, runtest.ID, 14)
}

// TestRecordsAreLostWhileARunGoesDown: they are made again from the ledger, gaps between its chunks are cut anew, and each row is changed once.
func TestRecordsAreLostWhileARunGoesDown(t *testing.T) {
	t.Parallel()
	for name, known := range map[string][]int64{"all chunks": {1, 2, 3, 4, 5, 6}, "the first is not known": {2, 5}, "none between two": {1, 6}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 1050, 6)
			_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, downwards))
			must(t, err)
			for _, message := range b.Queue.Take() {
				if slices.Contains(known, message.Chunk) {
					claim, err := b.Ledger.Claim(t.Context(), message, "worker")
					must(t, err)
					_, err = b.Ledger.Release(t.Context(), claim, 0, "deadline")
					must(t, err)
				}
			}
			b.DB.Exec(t, "DELETE FROM counters WHERE id BETWEEN 8000 AND 8900; INSERT INTO counters SELECT 10 * g + 5, g FROM generate_series(600, 700) g")
			b.forget(t)
			line := b.Line(t)
			call := startOf(runtest.ID, downwards)
			b.expectEnd(t, line.Run(t, call.Request, runtest.Execution), run.Completed)
			if n := b.Number(t, "SELECT count(*) FROM counters WHERE n <> id / 10 + 1"); n != 0 {
				t.Errorf("%d rows are not what they should be", n)
			}
		})
	}
}

// forget removes all that DynamoDB holds.
func (b *bundle) forget(t *testing.T) {
	t.Helper()
	found, err := b.Client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.Table})
	must(t, err)
	for _, item := range found.Items {
		_, err := b.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.Table, Key: map[string]types.AttributeValue{"PK": item["PK"], "SK": item["SK"]}})
		must(t, err)
	}
}
