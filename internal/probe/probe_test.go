package probe_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/probe"
	"backfill/internal/signal"

	"github.com/jackc/pgx/v5"
)

func setup(t *testing.T, db pgtest.Database) *pgx.Conn {
	t.Helper()
	session := postgres.NewSession(credentials.Fixed(db.URL), "governor")
	t.Cleanup(session.Drop)
	must(t, ledger.New(session, ledger.Terms{}).Migrate(t.Context()))
	db.Exec(t, "CREATE TABLE users (id int PRIMARY KEY, n int); INSERT INTO users VALUES (1, 1), (2, 2)")
	conn, err := session.Conn(t.Context())
	must(t, err)
	return conn
}

func take(t *testing.T, conn *pgx.Conn, before probe.Sample) (probe.Sample, map[string]signal.Reading) {
	t.Helper()
	sample, err := probe.Take(t.Context(), conn, signal.Limits{}, before, 3*time.Millisecond)
	must(t, err)
	readings := map[string]signal.Reading{}
	for _, r := range sample.Readings {
		readings[r.Key()] = r
	}
	return sample, readings
}

// TestASampleHasEverySignal that a server without standbys, slots and archive has, each with its unit.
func TestASampleHasEverySignal(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := setup(t, db)
		first, _ := take(t, conn, probe.Sample{})
		db.Exec(t, "INSERT INTO users SELECT g, g FROM generate_series(10, 50000) g")
		_, readings := take(t, conn, first)
		for _, name := range signal.Names() {
			if slices.Contains([]signal.Name{signal.ReplicaBytes, signal.ReplicaTime, signal.SlotBytes, signal.Unarchived, signal.Alarm}, name) {
				continue
			}
			r, there := readings[string(name)]
			if !there || r.Value == nil || *r.Value < 0 || r.Unit == "" || r.Missing != "" || r.Age > 1 {
				t.Errorf("%s: %s %+v", name, r, r)
			}
		}
		if rate := *readings[string(signal.WALRate)].Value; rate < 1<<20 {
			t.Errorf("50,000 rows were %f bytes/s of WAL", rate)
		}
		if age := *readings[string(signal.TransactionID)].Value; age < 1 {
			t.Error(age)
		}
	})
}

// TestWhoWaitsForWhom: two users wait for a worker, one behind the other, and one for a user.
func TestWhoWaitsForWhom(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := setup(t, db)
		worker := named(t, db, "backfill worker")
		hold(t, worker, 1)
		hold(t, db.Connect(t), 2)
		for _, id := range []int{1, 1, 2} {
			go func() { _, _ = db.Connect(t).Exec(context.Background(), "UPDATE users SET n = 0 WHERE id = $1", id) }()
		}
		pgtest.WaitUntil(t, db.Connect(t), "SELECT count(*) = 3 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
		_, readings := take(t, conn, probe.Sample{})
		if all, us := *readings["lock_waiters"].Value, *readings["waiting_for_backfill"].Value; all < 3 || us != 1 {
			t.Errorf("%f wait, %f for a worker", all, us)
		}
		db.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
	})
}

// TestWhoComputes is counted, and who waits is not: one user, and many who sleep. Other tests compute on the server as well.
func TestWhoComputes(t *testing.T) {
	t.Parallel()
	const sleepers = 20
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := setup(t, db)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		run := func(sql string) {
			user := db.Connect(t)
			go func() { _, _ = user.Exec(ctx, sql) }()
		}
		run("SELECT sum(sqrt(n)) FROM (SELECT generate_series(1, 100000000000)) AS s (n)")
		for range sleepers {
			run("SELECT pg_sleep(600)")
		}
		pgtest.WaitUntil(t, db.Connect(t), `SELECT count(*) FILTER (WHERE wait_event = 'PgSleep') = 20 AND count(*) FILTER (WHERE query LIKE '%sqrt%' AND wait_event IS NULL) >= 1
			FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()`)
		_, readings := take(t, conn, probe.Sample{})
		if r := readings["running_sessions"]; r.Value == nil || r.Limit != nil || *r.Value < 1 || *r.Value >= sleepers {
			t.Errorf("%s", r)
		}
	})
}

func hold(t *testing.T, conn *pgx.Conn, id int) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "UPDATE users SET n = -1 WHERE id = $1", id)
	must(t, err)
}

// named is a connection that says who it is.
func named(t *testing.T, db pgtest.Database, name string) *pgx.Conn {
	t.Helper()
	conn := db.Connect(t)
	_, err := conn.Exec(t.Context(), "SELECT set_config('application_name', $1, false)", name)
	must(t, err)
	return conn
}

// TestARoleWithFewRights has the signals that it may read, and says of the others that it may not.
func TestARoleWithFewRights(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		setup(t, db)
		conn := asRole(t, db)
		_, readings := take(t, conn, probe.Sample{})
		for name, may := range map[signal.Name]bool{
			signal.LockWaiters: true, signal.WaitForUs: true, signal.TransactionID: true, signal.CommitTime: true,
			signal.Active: false, signal.IOWaits: false, signal.LWLockWaits: false, signal.Horizon: false, signal.Autovacuum: false,
		} {
			r, there := readings[string(name)]
			if !there || (r.Value != nil) != may || strings.Contains(r.Missing, "pg_read_all_stats") == may {
				t.Errorf("%s: %s", name, r)
			}
		}
	})
}

// asRole logs in as a role that owns nothing.
func asRole(t *testing.T, db pgtest.Database) *pgx.Conn {
	t.Helper()
	role := "few_" + strings.ReplaceAll(db.Connect(t).Config().Database, "test_", "")
	db.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'few'; GRANT USAGE ON SCHEMA backfill TO "+role+"; GRANT SELECT ON backfill.runs TO "+role)
	t.Cleanup(func() { db.Exec(t, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
	address, err := url.Parse(db.URL)
	must(t, err)
	address.User = url.UserPassword(role, "few")
	conn, err := pgx.Connect(t.Context(), address.String())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
