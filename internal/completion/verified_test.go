package completion_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/boundary"
	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/completion"
	"backfill/internal/definition"
	"backfill/internal/inquiry"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// verified runs a definition over a table as one chunk, has it verified, and gives the certificate. Meanwhile is what users do between the two.
func verified(t *testing.T, db pgtest.Database, ddl, source, meanwhile string, mends bool) (*runtest.Bench, run.Certificate) {
	t.Helper()
	b := runtest.On(t, db)
	db.Exec(t, ddl)
	d, problems := definition.Parse([]byte("name: a\n" + source))
	must(t, problems.Err())
	resolved, err := catalog.Resolve(t.Context(), b.Conn, d, nil)
	must(t, err)
	bound, err := boundary.Bound(t.Context(), b.Conn, resolved.Change, nil)
	must(t, err)
	opened, err := b.Ledger.Open(t.Context(), ledger.Run{Run: runtest.ID, Backfill: "a", Definition: source, Change: resolved.Change, Bound: bound, Execution: runtest.Execution})
	must(t, err)
	must(t, b.Records.CreateRun(t.Context(), opened.Status(), runtest.Execution))
	walk := func(send int64, steps func(batch.Runner) func(claim *ledger.Claim) bool) {
		claim, err := b.Ledger.Claim(t.Context(), chunk.Message{Run: runtest.ID, Chunk: 1, Hi: bound, Send: send}, "me")
		must(t, err)
		step := steps(batch.Runner{Change: resolved.Change, Timeout: time.Minute})
		for claim.Verdict == ledger.Claimed && !step(&claim) {
		}
	}
	walk(1, func(r batch.Runner) func(*ledger.Claim) bool {
		forward := batch.Forward{Runner: r}
		return func(claim *ledger.Claim) bool {
			outcome, err := forward.Step(t.Context(), b.Conn, claim, 50)
			must(t, err)
			return outcome.Done
		}
	})
	b.Exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = now()")
	db.Exec(t, meanwhile)
	_, err = b.Ledger.Verify(t.Context(), runtest.ID, runtest.Later, mends)
	must(t, err)
	walk(2, func(r batch.Runner) func(*ledger.Claim) bool {
		looks := batch.Verifying{Runner: r}
		return func(claim *ledger.Claim) bool {
			outcome, err := looks.Step(t.Context(), b.Conn, claim, 50)
			must(t, err)
			return outcome.Done
		}
	})
	completer := completion.New(b.Ledger, b.Records).Asking(inquiry.Inquirer{Session: b.Session})
	if _, _, err := completer.Verified(t.Context(), runtest.ID, b.Number(t, "SELECT count(*) FROM backfill.ledger")); err != nil {
		t.Fatal(err)
	}
	progress, err := b.Ledger.Look(t.Context(), runtest.ID)
	must(t, err)
	if progress.State != run.Completed || progress.Certified == nil {
		t.Fatalf("%+v", progress)
	}
	return b, *progress.Certified
}

const (
	plain       = `CREATE TABLE t (id bigint PRIMARY KEY, a text, c text, "Größe" int); INSERT INTO t SELECT g, 'A' || g FROM generate_series(1, 200) g; ANALYZE t`
	partitioned = `CREATE TABLE t (id bigint PRIMARY KEY, a text, c text, "Größe" int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (101);
		CREATE TABLE t2 PARTITION OF t DEFAULT; INSERT INTO t SELECT g, 'A' || g FROM generate_series(1, 200) g; ANALYZE t`
	both = "table: t\nset: {c: lower(a), Größe: length(a)}\n"
)

// TestTheSQLThatAMigrationCanRelyOnIsTrue: where it is printed, Postgres takes it, and takes the constraint for proof; where a NULL is left
// anywhere, it is not printed for that column.
func TestTheSQLThatAMigrationCanRelyOnIsTrue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ddl, source, meanwhile string
		count                  bool
		columns                []string
	}{
		"no NULL is left":               {plain, both, "", false, []string{"c", "Größe"}},
		"in partitions":                 {partitioned, both, "", false, []string{"c", "Größe"}},
		"one was mended":                {plain, both, "UPDATE t SET c = NULL WHERE id = 77", false, []string{"c", "Größe"}},
		"one was only counted":          {plain, both, "UPDATE t SET c = NULL WHERE id = 77", true, []string{"Größe"}},
		"one is beyond the bound":       {plain, both, "INSERT INTO t VALUES (201, 'a', NULL, 1)", false, []string{"Größe"}},
		"one is right":                  {plain, both, "UPDATE t SET a = NULL WHERE id = 77", false, nil},
		"one is out of scope":           {plain, both + "where: id > 1\n", "", false, nil},
		"what is out of scope has none": {plain, both + "where: id > 1\n", `UPDATE t SET c = 'x' WHERE id = 1`, false, []string{"c"}},
		"a chunk is rolled back": {plain, both, `INSERT INTO backfill.ledger (run, chunk, lo, hi, state, direction) VALUES ('run-1', 2, '{200}', '{300}', 'ROLLED_BACK', 'back');
			UPDATE backfill.runs SET bound = '{300}'`, false, nil},
		"they were not looked at": {plain, "table: t\nset:\n  c: coalesce(c, a)\n", "", false, nil},
	} {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			b, certificate := verified(t, db, c.ddl, c.source, c.meanwhile, !c.count)
			if len(certificate.SQL) != 4*len(c.columns) {
				t.Fatalf("%s: %q, want that of %v", name, certificate.SQL, c.columns)
			}
			for i, column := range c.columns {
				if !strings.Contains(certificate.SQL[4*i], fmt.Sprintf("%q IS NOT NULL", column)) {
					t.Errorf("%s: %s, want that of %s", name, certificate.SQL[4*i], column)
				}
			}
			for _, sql := range certificate.SQL {
				b.Exec(t, sql)
			}
			if n := b.Number(t, "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND attnotnull AND attname <> 'id'"); n != int64(len(c.columns)) {
				t.Errorf("%s: %d columns are NOT NULL", name, n)
			}
			if n := b.Number(t, "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass"); n != 0 {
				t.Errorf("%s: %d constraints are left", name, n)
			}
		})
	}
}

// TestACertificateSaysWhatHolds.
func TestACertificateSaysWhatHolds(t *testing.T) {
	t.Parallel()
	const purge = "table: t\ndelete: true\nwhere: id <= 50\n"
	for name, c := range map[string]struct {
		source, meanwhile string
		holds             bool
		want              string
	}{
		"rows":                        {both, "", true, "verified: the ledger tiles the key space, 200 rows looked at, none deviates"},
		"an invariant":                {both + "verify: SELECT count(*) = 200 FROM t WHERE c IS NOT NULL\n", "", true, "none deviates, the invariant holds"},
		"an invariant that is broken": {both + "verify: SELECT count(*) FROM t WHERE id > 200\n", "INSERT INTO t VALUES (201)", false, "does not hold: it gives 1"},
		"a deletion":                  {purge, "", true, "verified: the ledger tiles the key space; rows were not looked at: " + change.Delete.Unjudged()},
		"a deletion that left a row":  {purge, "INSERT INTO t VALUES (7)", false, "a row in scope is left"},
		"the ledger":                  {both, "INSERT INTO backfill.ledger (run, chunk, lo, hi, state) VALUES ('run-1', 3, '{500}', '{600}', 'ROLLED_BACK')", false, "the ledger does not tile the key space"},
	} {
		b, certificate := verified(t, pgtest.Newest(t), plain, c.source, c.meanwhile, true)
		stored, err := b.Ledger.Run(t.Context(), runtest.ID)
		must(t, err)
		if certificate.Holds != c.holds || !strings.Contains(stored.Reason, c.want) {
			t.Errorf("%s: holds %t, %q", name, certificate.Holds, stored.Reason)
		}
	}
}
