package batch_test

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
)

// layouts are ways to cut a table t of 2,000 rows into partitions, with room on each page for all of its rows once more: then updates are HOT
// whatever other sessions of the server keep.
var layouts = map[string]string{
	"range": `CREATE TABLE t (id bigint PRIMARY KEY, n int, pad text DEFAULT repeat('x', 200)) PARTITION BY RANGE (id);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (701) WITH (fillfactor = 40);
		CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (701) TO (1401) WITH (fillfactor = 40);
		CREATE TABLE t_3 PARTITION OF t DEFAULT WITH (fillfactor = 40);
		INSERT INTO t SELECT g, g FROM generate_series(1, 2000) g;`,
	"nested": `CREATE TABLE t (id bigint PRIMARY KEY, n int, pad text DEFAULT repeat('x', 200)) PARTITION BY RANGE (id);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (1001) WITH (fillfactor = 40);
		CREATE TABLE t_2 PARTITION OF t DEFAULT PARTITION BY HASH (id);
		CREATE TABLE t_2_0 PARTITION OF t_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 40);
		CREATE TABLE t_2_1 PARTITION OF t_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 40);
		INSERT INTO t SELECT g, g FROM generate_series(1, 2000) g;`,
	"hash": `CREATE TABLE t (id bigint PRIMARY KEY, n int, pad text DEFAULT repeat('x', 200)) PARTITION BY HASH (id);
		CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER 0) WITH (fillfactor = 40);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER 1) WITH (fillfactor = 40);
		CREATE TABLE t_2 PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER 2) WITH (fillfactor = 40);
		INSERT INTO t SELECT g, g FROM generate_series(1, 2000) g;`,
	"range, of text": `CREATE TABLE t (id text COLLATE "C" PRIMARY KEY, n int, pad text DEFAULT repeat('x', 200)) PARTITION BY RANGE (id);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('k01000') WITH (fillfactor = 40);
		CREATE TABLE t_2 PARTITION OF t DEFAULT WITH (fillfactor = 40);
		INSERT INTO t SELECT 'k' || lpad(g::text, 5, '0'), g FROM generate_series(1, 2000) g;`,
	"hash, of text": `CREATE TABLE t (id text COLLATE "C" PRIMARY KEY, n int, pad text DEFAULT repeat('x', 200)) PARTITION BY HASH (id);
		CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 40);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 40);
		INSERT INTO t SELECT 'k' || lpad(g::text, 5, '0'), g FROM generate_series(1, 2000) g;`,
	"by the time": `CREATE TABLE t (id bigint, at date, n int, pad text DEFAULT repeat('x', 200), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
		CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') WITH (fillfactor = 40);
		CREATE TABLE t_2 PARTITION OF t DEFAULT WITH (fillfactor = 40);
		INSERT INTO t SELECT g, date '2024-01-01' + g / 40, g FROM generate_series(1, 2000) g;`,
}

// TestPassesOverPartitions change each row once, count updates that are HOT though those are a partition's, and are taken back.
func TestPassesOverPartitions(t *testing.T) {
	t.Parallel()
	for layout, ddl := range layouts {
		for i := range 4 {
			undo, spread := i%2 == 0, i/2 == 0
			t.Run(fmt.Sprintf("%s, undo %t, spread %t", layout, undo, spread), func(t *testing.T) {
				t.Parallel()
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					b := reversible(t, db, ddl, fmt.Sprintf("table: t\nset: {n: n + 1}\nundo: %t\n", undo))
					b.change.Spread = spread
					before := b.image(t)
					b.inPasses(t, 1_500)
					b.expectAdded(t)
					if hot := b.number(t, "SELECT hot FROM backfill.ledger"); hot != 2_000 {
						t.Errorf("%d updates are counted as HOT", hot)
					}
					if !undo {
						return
					}
					b.expectTakenBack(t, before)
				})
			})
		}
	}
}

// TestUpdatesThatAreNotHOTInPartitions are not counted.
func TestUpdatesThatAreNotHOTInPartitions(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, layouts["range"]+"CREATE INDEX ON t_2 (n)", "table: t\nset: {n: n + 1}\nundo: false\n")
		b.inPasses(t, 1_500)
		if hot := b.number(t, "SELECT hot FROM backfill.ledger"); hot != 1_300 {
			t.Errorf("%d updates are counted as HOT", hot)
		}
	})
}

// TestAPassLooksIntoFewPartitions: a key is looked up in its own partition, or in those that its window may lie in, and the table is never walked.
func TestAPassLooksIntoFewPartitions(t *testing.T) {
	t.Parallel()
	const parts, each = 50, 40
	range50, hash50 := "PARTITION BY RANGE (%s);", "PARTITION BY HASH (%s);"
	for i := range parts {
		range50 += fmt.Sprintf("CREATE TABLE t_%d PARTITION OF t FOR VALUES FROM (%d) TO (%d);", i, i*each+1, (i+1)*each+1)
		hash50 += fmt.Sprintf("CREATE TABLE t_%d PARTITION OF t FOR VALUES WITH (MODULUS %d, REMAINDER %[1]d);", i, parts)
	}
	for name, ddl := range map[string]string{
		"range":       fmt.Sprintf("CREATE TABLE t (id bigint PRIMARY KEY, at int, n int) "+range50, "id"),
		"hash":        fmt.Sprintf("CREATE TABLE t (id bigint PRIMARY KEY, at int, n int) "+hash50, "id"),
		"by the time": fmt.Sprintf("CREATE TABLE t (id bigint, at int, n int, PRIMARY KEY (id, at)) "+range50, "at"),
	} {
		for _, undo := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, undo %t", name, undo), func(t *testing.T) {
				t.Parallel()
				pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
					ddl := ddl + fmt.Sprintf("INSERT INTO t SELECT g, g, g FROM generate_series(1, %d) g", parts*each)
					b := reversible(t, db, ddl, fmt.Sprintf("table: t\nset: {n: n + 1}\nundo: %t\n", undo))
					if !b.change.Spread {
						t.Fatal("small partitions are not seen")
					}
					b.change.Spread = name == "hash"
					b.chunk.Lo, b.chunk.Hi = make([]string, len(b.change.Key)), make([]string, len(b.change.Key))
					for i := range b.change.Key {
						b.chunk.Lo[i], b.chunk.Hi[i] = "1000", "1400"
					}
					scans := func() int64 {
						_, err := b.conn.Exec(t.Context(), "SELECT pg_stat_force_next_flush()")
						must(t, err)
						return b.number(t, "SELECT sum(idx_scan) + sum(seq_scan) * 100000 FROM pg_stat_user_tables WHERE relname LIKE 't\\_%'")
					}
					before := scans()
					b.inPasses(t, 80)
					if right := b.number(t, "SELECT count(*) FROM t WHERE n = id + 1 AND id BETWEEN 1001 AND 1400"); right != 400 {
						t.Fatalf("%d rows are right", right)
					}
					// Each of 400 keys in the 3 partitions of its window, and to be updated again; five walks over 50 partitions, twice each.
					if done := scans() - before; done > 400*4+5*parts*2 {
						t.Errorf("%d look-ups", done)
					} else {
						t.Logf("%d look-ups", done)
					}
				})
			})
		}
	}
}

// TestAJoinInPassesOverPartitions: the bounds of the window stand beside other tables, whose columns have the same names.
func TestAJoinInPassesOverPartitions(t *testing.T) {
	t.Parallel()
	for layout, ddl := range layouts {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, ddl+"CREATE TABLE o (id int PRIMARY KEY, n int); INSERT INTO o SELECT g, g + 1 FROM generate_series(1, 2000) g",
					"table: t\nfrom: {o: o}\njoin: o.id = t.n\nset: {n: o.n}\nwhere: t.n = right(t.id::text, 4)::int\n")
				before := b.image(t)
				b.inPasses(t, 1_500)
				b.expectAdded(t)
				b.expectTakenBack(t, before)
			})
		})
	}
}

// inPasses goes over the chunk, in windows of so many keys.
func (b *reversal) inPasses(t *testing.T, keys int64) {
	t.Helper()
	b.walk(t, &batch.Striped{
		Runner: batch.Runner{Change: b.change, Timeout: time.Minute}, Window: statement.Window{Keys: keys, Passes: 4, Batches: 2},
	}, 1000)
}

// expectAdded demands of each row of a layout that 1 was added to it, once.
func (b *reversal) expectAdded(t *testing.T) {
	t.Helper()
	if right := b.number(t, "SELECT count(*) FROM t WHERE n = right(id::text, 4)::int + 1"); right != 2_000 {
		t.Fatalf("%d rows are right", right)
	}
}

// expectTakenBack rolls the run back, and demands the table as it was.
func (b *reversal) expectTakenBack(t *testing.T, before []string) {
	t.Helper()
	b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
	b.back(t, 300)
	if diff := cmp.Diff(before, b.image(t)); diff != "" {
		t.Errorf("the table is another: %s", diff)
	}
}
