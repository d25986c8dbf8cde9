package postgres_test

import (
	"context"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
)

// TestConflictsWithAnotherSession: nothing has changed, and the same statement may succeed later.
func TestConflictsWithAnotherSession(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, tables)
		for name, c := range map[string]struct {
			provoke func(t *testing.T, b *bundle) error
			code    string
			says    string
		}{
			"a serialization failure":    {serialization, "40001", "SQLSTATE 40001"},
			"a deadlock":                 {deadlock, "40P01", "SQLSTATE 40P01"},
			"a lock that is waited for":  {lockTimeout, "55P03", "canceling statement due to lock timeout"},
			"a lock that is not there":   {noWait, "55P03", "SQLSTATE 55P03"},
			"a table in use":             {inUse, "55006", "SQLSTATE 55006"},
			"a cancel by somebody":       {cancelled, "57014", "canceling statement due to user request"},
			"a server without room left": {noRoom, "53400", "SQLSTATE 53400"},
		} {
			t.Run(name, func(t *testing.T) {
				err := c.provoke(t, &bundle{db: db, conn: db.Connect(t)})
				expectError(t, err, c.code, failure.Transient)
				if safe := failure.Safe(postgres.Classify(err)); !strings.Contains(safe, c.says) {
					t.Errorf("safe text %q does not say %q", safe, c.says)
				}
			})
		}
	})
}

func serialization(t *testing.T, b *bundle) error {
	must(t, exec(b.conn, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT FROM t"))
	must(t, exec(b.db.Connect(t), "UPDATE t SET n = 1"))
	return exec(b.conn, "UPDATE t SET n = 2")
}

// deadlock has the victim look for one at once; the other session would look only after a minute.
func deadlock(t *testing.T, b *bundle) error {
	other := b.db.Connect(t)
	must(t, exec(other, "SET deadlock_timeout = '1min'", "BEGIN", "UPDATE t SET n = 1 WHERE id = 1"))
	must(t, exec(b.conn, "SET deadlock_timeout = '10ms'", "BEGIN", "UPDATE t SET n = 1 WHERE id = 2"))
	waited := make(chan error)
	go func() { waited <- exec(other, "UPDATE t SET n = 1 WHERE id = 2", "ROLLBACK") }()
	pgtest.WaitUntil(t, b.db.Connect(t), waiting)
	err := exec(b.conn, "UPDATE t SET n = 1 WHERE id = 1")
	must(t, <-waited)
	return err
}

func lockTimeout(t *testing.T, b *bundle) error {
	must(t, exec(b.db.Connect(t), "BEGIN", "UPDATE t SET n = 1"))
	return exec(b.conn, "SET lock_timeout = '50ms'", "UPDATE t SET n = 2")
}

func noWait(t *testing.T, b *bundle) error {
	must(t, exec(b.db.Connect(t), "BEGIN", "UPDATE t SET n = 1"))
	return exec(b.conn, "SELECT FROM t WHERE secret LIKE '%marker%' FOR UPDATE NOWAIT")
}

func inUse(_ *testing.T, b *bundle) error {
	return exec(b.conn, "BEGIN", "DECLARE walk CURSOR FOR SELECT FROM t", "DROP TABLE t CASCADE")
}

func cancelled(t *testing.T, b *bundle) error {
	ended := make(chan error)
	go func() { ended <- exec(b.conn, "SELECT pg_sleep(60), secret FROM t") }()
	other := b.db.Connect(t)
	pgtest.WaitUntil(t, other, sleeping)
	must(t, exec(other, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"))
	return <-ended
}

func noRoom(t *testing.T, b *bundle) error {
	return exec(b.conn, "SET temp_file_limit = 0", "SET work_mem = '64kB'", "SELECT secret FROM t, generate_series(1, 9999) ORDER BY random()")
}

const (
	waiting  = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
	sleeping = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')"
)

// TestTheServerEndsTheConnection: whether a commit had happened is not known, but where the server says that it ended
// a transaction. The next call says that it had not been sent.
func TestTheServerEndsTheConnection(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for name, c := range map[string]struct {
			since    string // the major version that has it
			settings string
			sql      []string
			code     string
			class    failure.Class
		}{
			"by an administrator": {"15", "SELECT", []string{"SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)"},
				"57P01", failure.Unknown},
			"a session that rests": {"15", "SET idle_session_timeout = '10ms'", []string{"SELECT 1"}, "57P05", failure.Unknown},
			"a transaction that rests": {"15", "SET idle_in_transaction_session_timeout = '10ms'", []string{"BEGIN", "SELECT 1"},
				"25P03", failure.Transient},
			"a transaction that lasts": {"17", "SET transaction_timeout = '10ms'", []string{"BEGIN", "SELECT pg_sleep(60)"},
				"25P04", failure.Transient},
		} {
			if db.Major < c.since {
				continue
			}
			t.Run(name, func(t *testing.T) {
				conn := db.Connect(t)
				must(t, exec(conn, c.settings))
				err := exec(conn, c.sql...)
				if err == nil { // it rests now, until the server ends it
					pgtest.WaitUntil(t, db.Connect(t), gone(conn.PgConn().PID()))
					err = exec(conn, "SELECT 1")
				}
				expectError(t, err, c.code, c.class)
				if after := postgres.Classify(conn.Ping(context.Background())); !failure.Is(after, failure.Transient) {
					t.Errorf("the next call: %v (%s)", after, failure.Of(after))
				}
			})
		}
	})
}
