package batch_test

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// verify has the run verified to its end, by batches of so many rows, and gives what was found.
func (b *reversal) verify(t *testing.T, execution string, mends bool, rows int64) ledger.Verified {
	t.Helper()
	r, err := b.ledger.Verify(t.Context(), theRun, execution, mends)
	must(t, err)
	if r.State != run.Verifying {
		t.Fatalf("%s: %s", r.State, r.Reason)
	}
	b.walk(t, &batch.Verifying{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}, rows)
	found, err := b.ledger.Verified(t.Context(), theRun)
	must(t, err)
	certified, err := b.ledger.Certify(t.Context(), theRun, run.Certificate{}, "")
	must(t, err)
	if !certified {
		t.Fatal("the run was not certified")
	}
	return found
}

// shapes are tables of 4,000 rows in the run's scope and 2,000 that are not: of one key, of a composite one that lies in many stretches, and in
// partitions. A row holds what it should where right is lower(raw).
var shapes = map[string]struct{ ddl, source, late string }{
	"one key": {
		`CREATE TABLE t (id bigint PRIMARY KEY, raw text, done text, n int);
			INSERT INTO t SELECT g * 10, CASE WHEN g % 3 > 0 THEN 'Row' || g END, NULL, g FROM generate_series(1, 6000) g; ANALYZE t`,
		"table: t\nset: {done: lower(raw)}\nwhere: raw IS NOT NULL\n",
		`INSERT INTO t SELECT n * 10 + 5, 'LATE' || n, NULL, 0 FROM picked WHERE kind = 2`,
	},
	"composite": {
		`CREATE TABLE t (a uuid, b text, n int, raw text, done text, PRIMARY KEY (a, b));
			INSERT INTO t SELECT md5((g % 40)::text)::uuid, g::text, g, CASE WHEN g % 3 > 0 THEN 'Row' || g END FROM generate_series(1, 6000) g; ANALYZE t`,
		"table: t\nset: {done: lower(raw), n: length(raw)}\nwhere: raw IS NOT NULL\n",
		`INSERT INTO t SELECT md5((n % 39)::text)::uuid, 'late' || n, 0, 'LATE' || n, NULL FROM picked WHERE kind = 2 AND md5((n % 39)::text)::uuid < (SELECT a FROM t ORDER BY a DESC LIMIT 1)`,
	},
	"partitioned": {
		`CREATE TABLE t (id bigint, at date, raw text, done text, n int, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
			CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
			CREATE TABLE t2 PARTITION OF t DEFAULT;
			INSERT INTO t SELECT g, date '2024-01-01' + g % 365, CASE WHEN g % 3 > 0 THEN 'Row' || g END FROM generate_series(1, 6000) g; ANALYZE t`,
		"table: t\nset: {done: lower(raw)}\nwhere: raw IS NOT NULL\n",
		`INSERT INTO t SELECT -n, date '2024-01-01' + (n % 300)::int, 'LATE' || n, NULL FROM picked WHERE kind = 2`,
	},
}

// deviate changes 1,000 rows: wrong values, rows that come late, and NULLs. It gives how many there are, and remembers what they held.
func (b *reversal) deviate(t *testing.T, late string) int64 {
	t.Helper()
	b.exec(t, `CREATE TABLE picked AS SELECT n, n % 3 AS kind FROM (SELECT ctid, row_number() OVER () AS n FROM t WHERE raw IS NOT NULL ORDER BY random() LIMIT 1000) p;
		CREATE TABLE before AS SELECT * FROM t`)
	b.exec(t, `WITH chosen AS (SELECT r.*, row_number() OVER (ORDER BY random()) AS place FROM t r WHERE raw IS NOT NULL)
		UPDATE t SET done = CASE WHEN place % 2 = 0 THEN 'a user''s' END FROM chosen c
		WHERE place <= (SELECT count(*) FROM picked WHERE kind <> 2) AND t.raw = c.raw`)
	b.exec(t, late)
	return b.number(t, "SELECT count(*) FROM t WHERE raw IS NOT NULL AND done IS DISTINCT FROM lower(raw)")
}

// TestAVerificationFindsExactlyWhatDeviates, writes those rows and no other, and then finds none; without leave to write it only counts.
func TestAVerificationFindsExactlyWhatDeviates(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		for _, undo := range []string{"on", "off"} {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, shape.ddl, shape.source+"undo: "+undo+"\n")
				b.forward(t, 700)
				clean := b.verify(t, "arn-0", true, 450)
				if clean.Looked != 6000 || clean.Fitting != 4000 || clean.Deviating != 0 || clean.Mended != 0 || clean.Chunks != 1 {
					t.Errorf("%s: of a clean table: %+v", name, clean)
				}
				b.exec(t, "CREATE TABLE clean AS SELECT * FROM t")
				deviating := b.deviate(t, shape.late)
				if deviating < 900 {
					t.Fatalf("%s: %d rows deviate", name, deviating)
				}
				rows := b.number(t, "SELECT count(*) FROM t")
				image := b.image(t)
				counted := b.verify(t, "arn-1", false, 450)
				if counted.Looked != rows || counted.Deviating != deviating || counted.Mended != 0 || counted.Digest == clean.Digest {
					t.Errorf("%s: counted %+v of %d deviations; it was %+v", name, counted, deviating, clean)
				}
				if changed := difference(image, b.image(t)); changed != "" {
					t.Errorf("%s: a count has changed rows: %s", name, changed)
				}
				affected := b.number(t, "SELECT affected FROM backfill.ledger")
				mended := b.verify(t, "arn-2", true, 450)
				if mended.Deviating != deviating || mended.Mended != deviating {
					t.Errorf("%s: mended %+v of %d deviations", name, mended, deviating)
				}
				if n := b.number(t, "SELECT affected FROM backfill.ledger"); n != affected+deviating {
					t.Errorf("%s: %d rows are counted as written, %d before", name, n, affected)
				}
				again := b.verify(t, "arn-3", true, 450)
				if again.Deviating != 0 || again.Digest != mended.Digest || again.Digest == clean.Digest || again.Fitting != mended.Fitting {
					t.Errorf("%s: after %+v once more %+v", name, mended, again)
				}
				b.exec(t, "DELETE FROM t WHERE raw LIKE 'LATE%'")
				if n := b.number(t, "SELECT count(*) FROM (TABLE t EXCEPT TABLE clean) d"); n != 0 {
					t.Errorf("%s: %d rows are not what they were", name, n)
				}
				if found := b.verify(t, "arn-4", true, 4000); found.Digest != clean.Digest || found.Deviating != 0 {
					t.Errorf("%s: the same table has another digest: %+v, %+v", name, clean, found)
				}
			})
		}
	}
}

func difference(before, after []string) string {
	if len(before) != len(after) {
		return "another number of rows"
	}
	for i := range before {
		if before[i] != after[i] {
			return before[i] + " became " + after[i]
		}
	}
	return ""
}

// TestWhatWasMendedIsRolledBackWithTheRun: each row is what it was before the run, but for those that users had changed since. They hold
// again what a user gave them, and are conflicts, as if nobody had verified the run.
func TestWhatWasMendedIsRolledBackWithTheRun(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			b := reversible(t, db, shape.ddl, shape.source)
			b.exec(t, "CREATE TABLE origin AS SELECT * FROM t; UPDATE t SET done = lower(raw), n = length(raw) WHERE raw LIKE '%7'; TRUNCATE origin; INSERT INTO origin SELECT * FROM t")
			b.forward(t, 700)
			deviating := b.deviate(t, shape.late)
			b.exec(t, "CREATE TABLE deviated AS SELECT * FROM t")
			if found := b.verify(t, "arn-1", true, 450); found.Mended != deviating {
				t.Fatalf("%s: %+v", name, found)
			}
			b.exec(t, "UPDATE t SET done = 'once more' WHERE raw IN (SELECT raw FROM deviated WHERE raw LIKE '%4' AND done IS DISTINCT FROM lower(raw))")
			twice := b.number(t, "SELECT count(*) FROM t WHERE done = 'once more'")
			b.back(t, 300)
			// What users did after the run stays: on rows of the run as a conflict, on others as what it was before they were mended.
			const wrong = `SELECT count(*) FROM t LEFT JOIN origin o USING (raw) LEFT JOIN deviated d USING (raw) WHERE raw IS NOT NULL AND t.done IS DISTINCT FROM
				CASE WHEN raw LIKE '%4' AND d.done IS DISTINCT FROM lower(raw) THEN 'once more' WHEN d.done IS DISTINCT FROM lower(raw) THEN d.done ELSE o.done END`
			if n := b.number(t, wrong); n != 0 {
				t.Errorf("%s: %d rows are wrong after the rollback", name, n)
			}
			of := b.number(t, `SELECT count(*) FROM deviated d WHERE d.done IS DISTINCT FROM lower(raw) AND raw NOT LIKE 'LATE%' AND raw NOT LIKE '%7'
				OR raw LIKE '%4' AND d.done IS DISTINCT FROM lower(raw)`)
			if conflicts := b.number(t, "SELECT count(*) FROM backfill.conflicts"); twice == 0 || conflicts != of {
				t.Errorf("%s: %d conflicts, want %d (%d rows changed once more)", name, conflicts, of, twice)
			}
			if n := b.number(t, `SELECT count(*) FROM backfill.conflicts c WHERE c.holds IS NULL OR c.was[1] IS NOT NULL AND c.was[1] LIKE 'row%'`); n != 0 {
				t.Errorf("%s: %d conflicts have not what was there before the run", name, n)
			}
			if left := b.number(t, "SELECT count(*) FROM backfill.undo"); left != 0 {
				t.Errorf("%s: %d rows of undo are left", name, left)
			}
		})
	}
}

// TestTheDigestTellsWhatRowsHold: that one holds another value, that two have exchanged theirs, that one is gone.
func TestTheDigestTellsWhatRowsHold(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		b := reversible(t, pgtest.Newest(t), shape.ddl, shape.source)
		b.forward(t, 700)
		digests := map[string]string{b.verify(t, "arn", false, 450).Digest: "as it was"}
		for i, sql := range []string{
			"UPDATE t SET done = 'other' WHERE raw = 'Row1'",
			"UPDATE t SET done = CASE raw WHEN 'Row1' THEN 'row2' ELSE 'row1' END WHERE raw IN ('Row1', 'Row2')",
			"UPDATE t SET done = NULL WHERE raw IN ('Row1', 'Row2')",
			"DELETE FROM t WHERE raw = 'Row1'",
		} {
			b.exec(t, sql)
			digest := b.verify(t, fmt.Sprint("arn", i), false, 450).Digest
			if before, same := digests[digest]; same {
				t.Errorf("%s: %s has the digest of: %s", name, sql, before)
			}
			digests[digest] = sql
		}
	}
}
