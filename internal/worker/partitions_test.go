package worker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/catalog"
	"backfill/internal/chunk"
	"backfill/internal/definition"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// chunks resolves a definition against a table t as a planner does, and cuts it.
func chunks(t *testing.T, db pgtest.Database, ddl, source string) (*bundle, []chunk.Chunk) {
	t.Helper()
	db.Exec(t, ddl)
	b := &bundle{db: db, conn: db.Connect(t), checkpoints: &checkpoints{}, terms: ledger.Terms{Lease: 30 * time.Second, Heartbeat: time.Hour}}
	b.ledger = ledger.New(b.session(t, db.URL), b.terms)
	must(t, b.ledger.Migrate(t.Context()))
	d, problems := definition.Parse([]byte("name: a\ntable: t\nset: {n: n + 1}\n" + source))
	must(t, problems.Err())
	resolved, err := catalog.Resolve(t.Context(), b.conn, d, nil)
	must(t, err)
	bound, err := boundary.Bound(t.Context(), b.conn, resolved.Change, nil)
	must(t, err)
	cut, err := boundary.Cut(t.Context(), b.conn, resolved.Change, nil, bound, 10)
	must(t, err)
	_, err = b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "a", Change: resolved.Change, Bound: bound})
	must(t, err)
	all := make([]chunk.Chunk, len(cut.Ranges))
	for i, r := range cut.Ranges {
		all[i] = chunk.Chunk{Run: theRun, Number: int64(i + 1), Range: r}
	}
	return b, all
}

// TestPassesGoOnOverPartitions: updates of the first chunk are HOT, and the second knows. There is room on each page from the beginning, see
// TestUpdatesThatAreHOTAreCounted.
func TestPassesGoOnOverPartitions(t *testing.T) {
	t.Parallel()
	const table, room = "CREATE TABLE t (id bigint PRIMARY KEY, n int, pad text DEFAULT repeat('x', 150)) ", " WITH (fillfactor = 40);"
	const insert = "INSERT INTO t SELECT g, g FROM generate_series(1, 15000) g"
	for name, ddl := range map[string]string{
		"range": table + "PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (9000)" + room +
			"CREATE TABLE t_2 PARTITION OF t DEFAULT" + room + insert,
		"hash": table + "PARTITION BY HASH (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0)" + room +
			"CREATE TABLE t_2 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)" + room + insert,
	} {
		for _, undo := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, undo %t", name, undo), func(t *testing.T) {
				t.Parallel()
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					b, all := chunks(t, db, ddl, fmt.Sprintf("chunk_rows: 7_500\nundo: %t\n", undo))
					for _, c := range all {
						must(t, b.worker(t, db.URL).Work(t.Context(), c.Message(1)))
					}
					var striped, right, affected, hot int64
					must(t, b.conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE passes > 1), sum(affected), sum(hot), (SELECT count(*) FROM t WHERE n = id + 1)
						FROM backfill.ledger`).Scan(&striped, &affected, &hot, &right))
					if striped != 2 || right != 15_000 || affected != 15_000 || hot <= affected/2 {
						t.Errorf("%d chunks in passes, %d rows are right, %d written, %d of them HOT", striped, right, affected, hot)
					}
				})
			})
		}
	}
}

// TestWhereRowsLieDecidesOnPasses: whatever the catalog knows of the table. None of these is ever analysed.
func TestWhereRowsLieDecidesOnPasses(t *testing.T) {
	t.Parallel()
	const pad = "n int DEFAULT 0, pad text DEFAULT repeat('x', 200)"
	const composite = "CREATE TABLE t (tenant int, no int, " + pad + ", PRIMARY KEY (tenant, no)) WITH (autovacuum_enabled = off); INSERT INTO t (tenant, no) "
	for name, c := range map[string]struct {
		ddl    string
		passes int
	}{
		"random":               {"CREATE TABLE t (id uuid PRIMARY KEY, " + pad + ") WITH (autovacuum_enabled = off); INSERT INTO t SELECT md5(g::text)::uuid FROM generate_series(1, 20000) g", 1},
		"composite, by tenant": {composite + "SELECT g / 250, g FROM generate_series(1, 50000) g", 16},
		"composite, by time":   {composite + "SELECT g % 200, g FROM generate_series(1, 50000) g", 1},
		"random, partitions": {"CREATE TABLE t (id uuid PRIMARY KEY, " + pad + ") PARTITION BY HASH (id); CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);" +
			"CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO t SELECT md5(g::text)::uuid FROM generate_series(1, 20000) g", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b, all := chunks(t, db, c.ddl, "undo: false\n")
				must(t, b.worker(t, db.URL).Work(t.Context(), all[0].Message(1)))
				var passes int
				var reason string
				var wrong int64
				must(t, b.conn.QueryRow(t.Context(), "SELECT passes, passes_reason, (SELECT count(*) FROM t WHERE n <> 1) FROM backfill.ledger").Scan(&passes, &reason, &wrong))
				if passes != c.passes || wrong != 0 || passes == 1 && !strings.Contains(reason, "neighbours by key lie on different pages, 500 of them on ") {
					t.Errorf("%d passes, %s; %d rows are wrong", passes, reason, wrong)
				}
			})
		})
	}
}
