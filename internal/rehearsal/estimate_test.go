package rehearsal_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/prospect"
	"backfill/internal/records"
	"backfill/internal/worker"
)

// measured is what a run has taken.
type measured struct {
	rows, growth, undo, wal int64 // wal: 0 where the server does not count it for a connection
	took                    time.Duration
}

// TestTheEstimateBesideTheRun: what is reckoned holds what the run then takes, by a worker on tables of different make. Time is shown only: the
// machine has others on it. Autovacuum is off: where it comes by in the middle, the table grows by less.
func TestTheEstimateBesideTheRun(t *testing.T) {
	t.Parallel()
	const rows = 100_000
	tables := map[string]struct{ ddl, definition string }{
		"narrow": {"CREATE TABLE t (id bigint PRIMARY KEY, n int, v int); INSERT INTO t SELECT g, g, g FROM generate_series(1, %d) g",
			"set: {v: n + 1}"},
		"wide, with TOAST": {`CREATE TABLE t (id bigint PRIMARY KEY, name text, loud text, body text); ALTER TABLE t ALTER body SET STORAGE EXTERNAL;
			INSERT INTO t SELECT g, 'name ' || g, NULL, CASE WHEN g %% 10 = 0 THEN repeat(md5(g::text), 100) ELSE repeat(md5(g::text), 8) END FROM generate_series(1, %d) g`,
			"set: {loud: upper(name)}"},
		"five indexes": {`CREATE TABLE t (id bigint PRIMARY KEY, a text, b int, c int, d timestamptz, filler text);
			INSERT INTO t SELECT g, md5(g::text), g, g %% 100, now(), repeat('x', 150) FROM generate_series(1, %d) g;
			CREATE INDEX ON t (a); CREATE INDEX ON t (b); CREATE INDEX ON t (c); CREATE INDEX ON t (d)`,
			"set: {b: b + 1}"},
		"few in scope": {"CREATE TABLE t (id bigint PRIMARY KEY, n int, v text); INSERT INTO t SELECT g, g, repeat('x', 200) FROM generate_series(1, %d) g",
			"set: {v: upper(v)}\nwhere: n %% 5 = 0"},
		"deleted": {"CREATE TABLE t (id bigint PRIMARY KEY, n int, v text); INSERT INTO t SELECT g, g, md5(g::text) FROM generate_series(1, %d) g",
			"delete: true\nwhere: n %% 2 = 0"},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for name, table := range tables {
			b := setup(t, db, "DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS backfill CASCADE; "+fmt.Sprintf(table.ddl, rows)+"; ALTER TABLE t SET (autovacuum_enabled = off); ANALYZE t; CHECKPOINT")
			found := b.rehearse(t, "name: t\ntable: t\n"+strings.ReplaceAll(table.definition, "%%", "%")+"\nchunk_rows: 50000\n", 0)
			got := b.carryOut(t, found)
			e := found.Estimate
			t.Logf("%s: WAL %d, reckoned %+v; growth %d, %+v; undo %d, %+v; %s, %+v", name, got.wal, e.WALBytes, got.growth, e.GrowthBytes,
				got.undo, e.UndoBytes, got.took, e.Seconds)
			if got.rows != found.Extent.ToWrite.Value || outside(e.GrowthBytes, got.growth) || outside(e.UndoBytes, got.undo) || got.wal > 0 && outside(e.WALBytes, got.wal) {
				t.Errorf("%s: %d rows, %d were reckoned; %s", name, got.rows, found.Extent.ToWrite.Value, found.Passes)
			}
		}
	})
}

func outside(f prospect.Figure, n int64) bool { return n < f.From || n > f.To }

// carryOut has one worker do the change, and measures.
func (b *bundle) carryOut(t *testing.T, found prospect.Prospect) (got measured) {
	t.Helper()
	must(t, b.book.Migrate(t.Context()))
	bound := keyset.Point{strconv.FormatInt(b.number(t, "SELECT max(id) FROM t"), 10)}
	window, err := boundary.Cut(t.Context(), b.conn, found.Change, nil, bound, 100)
	must(t, err)
	_, err = b.book.Open(t.Context(), ledger.Run{Run: "run-1", Backfill: "t", Execution: "arn", Change: found.Change, Bound: bound})
	must(t, err)
	_, err = b.conn.Exec(t.Context(), "UPDATE backfill.runs SET state = 'RUNNING'")
	must(t, err)
	session := postgres.NewSession(credentials.Fixed(b.db.URL), "worker").Prepare()
	t.Cleanup(session.Drop)
	conn, err := session.Conn(t.Context())
	must(t, err)
	terms := ledger.Terms{Lease: time.Minute, Heartbeat: time.Hour}
	hand := worker.New(session, ledger.New(session, terms), nowhere{}, terms.Lease)
	wal := func() int64 {
		if postgres.Major(conn) < 18 { // others write to the same server
			return 0
		}
		_, err := conn.Exec(t.Context(), "SELECT pg_stat_force_next_flush()") // it counts once a second, at most
		must(t, err)
		return b.number(t, fmt.Sprintf("SELECT wal_bytes::bigint FROM pg_stat_get_backend_wal(%d)", conn.PgConn().PID()))
	}
	const size = "SELECT pg_total_relation_size('t')"
	before, written, begun := b.number(t, size), wal(), time.Now()
	for i, cut := range window.Ranges {
		must(t, hand.Work(t.Context(), chunk.Message{Run: "run-1", Chunk: int64(i + 1), Lo: cut.Lo, Hi: cut.Hi, Send: 1}))
	}
	got.took, got.growth = time.Since(begun), b.number(t, size)-before
	got.rows, got.undo = b.number(t, "SELECT sum(affected) FROM backfill.ledger"), b.number(t, "SELECT sum(undo_bytes) FROM backfill.ledger")
	if open := b.number(t, "SELECT count(*) FROM backfill.ledger WHERE state <> 'COMPLETED'"); open > 0 {
		t.Fatalf("%d chunks are not done", open)
	}
	got.wal = wal() - written
	return got
}

// nowhere is where copies of the ledger go.
type nowhere struct{}

func (nowhere) Checkpoint(context.Context, records.Checkpoint) error { return nil }
