package canary_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"backfill/internal/faults/cluster"
	"backfill/internal/pausing"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// tables are those on which the forecast stands beside the run. Keys are in the order of the rows; in every tenth row there is nothing to do.
var tables = map[string]struct {
	ddl, definition string
	rows            int64
}{
	"narrow": {`CREATE TABLE t (id bigint PRIMARY KEY, n int NOT NULL, m int) WITH (autovacuum_enabled = off);
		INSERT INTO t SELECT g, g % 10 FROM generate_series(1, 240000) g`,
		"name: narrow\ntable: t\nset: {m: n + 1}\nwhere: n > 0\nchunk_rows: 4000\n", 240_000},
	"wide with TOAST": {`CREATE TABLE t (id bigint PRIMARY KEY, n int NOT NULL, title text, body text) WITH (autovacuum_enabled = off);
		ALTER TABLE t ALTER body SET STORAGE EXTERNAL;
		INSERT INTO t SELECT g, g % 10, md5(g::text), (SELECT string_agg(md5((g * 100 + i)::text), '') FROM generate_series(1, 80) i) FROM generate_series(1, 24000) g`,
		"name: wide\ntable: t\nset: {body: body || title}\nwhere: n > 0\nchunk_rows: 400\n", 24_000},
	"five indexes": {`CREATE TABLE t (id bigint PRIMARY KEY, n int NOT NULL, a uuid, b text, c timestamptz, d int, e text) WITH (autovacuum_enabled = off);
		INSERT INTO t SELECT g, g % 10, md5(g::text)::uuid, md5(g::text || 'b'), now() + g * interval '1 s', g % 1000, 'x' || g FROM generate_series(1, 120000) g;
		CREATE INDEX ON t (a); CREATE INDEX ON t (b); CREATE INDEX ON t (c); CREATE INDEX ON t (d); CREATE INDEX ON t (e)`,
		"name: indexed\ntable: t\nset: {e: upper(e)}\nwhere: n > 0\nchunk_rows: 2000\n", 120_000},
}

// TestTheForecastBesideTheRun: of each figure what the canary said, and what the rest then took. The server is the test's own, so that nobody else writes WAL; a checkpoint is
// before each of the two, as time would have brought one. Time is shown only: the machine has others on it.
func TestTheForecastBesideTheRun(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		server := cluster.New(t, like, "max_wal_size=4GB", "checkpoint_timeout=1h", "shared_buffers=128MB")
		for name, table := range tables {
			t.Run(name, func(t *testing.T) {
				server.Database().Exec(t, "DROP SCHEMA IF EXISTS backfill CASCADE")
				b := &bundle{Bench: runtest.On(t, server.Database())}
				b.Exec(t, "DROP TABLE IF EXISTS t; "+table.ddl)
				b.Exec(t, "VACUUM ANALYZE t")
				b.Exec(t, "SELECT pg_stat_force_next_flush()") // else the server counts that later, in the middle of the canary
				b.line, b.pauser = b.Line(t), pausing.New(b.Ledger, b.Records)
				b.beside(t, table.definition, table.rows)
			})
		}
	})
}

func (b *bundle) beside(t *testing.T, definition string, rows int64) {
	t.Helper()
	b.Exec(t, "CHECKPOINT")
	f := b.start(t, definition, "10%").Canary.Forecast
	if f.Rows == nil || f.Seconds == nil || f.WAL == nil || f.Growth == nil || f.Keys+f.Left.Keys != rows {
		t.Fatalf("%+v", f)
	}
	b.Exec(t, "CHECKPOINT")
	wal, size := b.at(t)
	written := b.Number(t, "SELECT sum(affected) FROM backfill.ledger")
	begun := time.Now()
	b.expectEnd(t, b.approve(t), run.Completed)
	t.Logf("seconds: %.1f; said were %+v", time.Since(begun).Seconds(), *f.Seconds)
	walAfter, sizeAfter := b.at(t)
	wal, size, written = walAfter-wal, sizeAfter-size, b.Number(t, "SELECT sum(affected) FROM backfill.ledger")-written
	t.Logf("%d of %d keys were the canary", f.Keys, rows)
	for _, c := range []struct {
		what    string
		got     float64
		said    run.Range
		allowed float64 // 0: within its own bounds
	}{{"rows", float64(written), *f.Rows, 0.05}, {"WAL", float64(wal), *f.WAL, 0.2}, {"growth", float64(size), *f.Growth, 0}} {
		t.Logf("%s: %.1f; said were %d, %d to %d (%+.0f %%)", c.what, c.got, c.said.Value, c.said.From, c.said.To, 100*(float64(c.said.Value)/c.got-1))
		if c.allowed > 0 && math.Abs(float64(c.said.Value)/c.got-1) > c.allowed || c.got < float64(c.said.From) || c.got > float64(c.said.To) {
			t.Errorf("%s: %s", c.what, fmt.Sprintf("%.1f is not what was said: %+v", c.got, c.said))
		}
	}
}

// at is how much WAL there is, and how large the table is with its indexes.
func (b *bundle) at(t *testing.T) (wal, size int64) {
	t.Helper()
	return b.Number(t, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"), b.Number(t, "SELECT pg_total_relation_size('t')")
}
