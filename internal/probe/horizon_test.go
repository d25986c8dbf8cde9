package probe_test

import (
	"context"
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/probe"

	"github.com/jackc/pgx/v5"
)

const horizon = "oldest_snapshot_seconds"

// TestTheOldestSnapshot: a reader's snapshot keeps dead rows, and a writer's transaction, idle or prepared; an idle one that has only
// read does not, and none of another database.
func TestTheOldestSnapshot(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		server := cluster.New(t, like, "max_prepared_transactions=2")
		db := server.Database()
		conn := setup(t, db)
		db.Exec(t, "CREATE DATABASE elsewhere")
		elsewhere, err := pgx.Connect(t.Context(), "postgres://app@"+server.Address()+"/elsewhere?sslmode=disable")
		must(t, err)
		t.Cleanup(func() { _ = elsewhere.Close(context.Background()) })
		for name, c := range map[string]struct {
			conn  *pgx.Conn
			begin string
			pins  bool
		}{
			"a reader's":              {db.Connect(t), "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT n FROM users", true},
			"a writer's":              {db.Connect(t), "BEGIN; UPDATE users SET n = 0", true},
			"one that read and waits": {db.Connect(t), "BEGIN; SELECT n FROM users", false},
			"another database's":      {elsewhere, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1", false},
		} {
			exec(t, c.conn, c.begin)
			exec(t, conn, "SELECT pg_sleep(0.3)")
			_, readings := take(t, conn, probe.Sample{})
			if above(horizon, 0.25)(readings) != c.pins {
				t.Errorf("%s: %s", name, readings[horizon])
			}
			exec(t, c.conn, "ROLLBACK")
		}
		exec(t, db.Connect(t), "BEGIN; UPDATE users SET n = 0; PREPARE TRANSACTION 'one'")
		until(t, conn, above(horizon, 0.25))
		exec(t, db.Connect(t), "ROLLBACK PREPARED 'one'")
		if _, readings := take(t, conn, probe.Sample{}); *readings[horizon].Value > 0.25 {
			t.Error(readings[horizon])
		}
	})
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	must(t, err)
}

// TestAutovacuumAtWork on a run's table, or on a partition of it; not on another table.
func TestAutovacuumAtWork(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		server := cluster.New(t, like, "autovacuum_naptime=1s")
		db := server.Database()
		conn := setup(t, db)
		db.Exec(t, `CREATE TABLE orders (id int, n int) PARTITION BY RANGE (id);
			CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (1000000) WITH
				(autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_cost_delay = 100);
			INSERT INTO orders SELECT g, g FROM generate_series(1, 100000) g; UPDATE orders SET n = 0`)
		busy := db.Connect(t)
		pgtest.WaitUntil(t, busy, "SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 'orders_1'::regclass")
		if _, readings := take(t, conn, probe.Sample{}); *readings["autovacuum_on_table"].Value != 0 {
			t.Errorf("no run is on it: %s", readings["autovacuum_on_table"])
		}
		for _, target := range []string{"public.orders", "public.orders_1"} {
			db.Exec(t, "DELETE FROM backfill.runs; INSERT INTO backfill.runs (run, backfill, execution, target, definition, state, change) VALUES ('one', 'test', '', '"+target+"', '', 'RUNNING', '{}')")
			pgtest.WaitUntil(t, busy, "SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 'orders_1'::regclass")
			if _, readings := take(t, conn, probe.Sample{}); *readings["autovacuum_on_table"].Value != 1 {
				t.Errorf("%s: %s", target, readings["autovacuum_on_table"])
			}
		}
	})
}
