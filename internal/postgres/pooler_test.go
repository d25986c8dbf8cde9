package postgres

import (
	"context"
	"testing"

	"backfill/internal/credentials"
	"backfill/internal/failure"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// prepared opens a session that prepares its statements.
func prepared(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	session := NewSession(credentials.Fixed(url), "session").Prepare()
	t.Cleanup(session.Drop)
	conn, err := session.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// add is run often, and gives the server's process.
func add(t *testing.T, on interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, n int) (process uint32) {
	t.Helper()
	var sum int
	err := on.QueryRow(t.Context(), "SELECT $1::int + 1, pg_backend_pid()", n).Scan(&sum, &process)
	if err != nil || sum != n+1 {
		t.Fatalf("%d + 1 is %d: %v", n, sum, err)
	}
	return process
}

const ofOthers = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stmtcache%'"

func statements(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), ofOthers, pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStatementsArePreparedWhereTheServerAnswersItself(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := prepared(t, db.URL)
		for n := range 3 {
			add(t, conn, n)
		}
		if n := statements(t, conn); n != 1 {
			t.Fatalf("%d prepared statements, want 1", n)
		}
	})
}

// TestBehindAPoolerNothingIsPrepared: two clients in turns, so that each transaction may be on another connection to the
// server, and statements that one connection knew would be missing, or there already, on the next.
func TestBehindAPoolerNothingIsPrepared(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		pooler := pgtest.NewPooler(t, db, 2)
		one, other := prepared(t, pooler.URL), prepared(t, pooler.URL)
		processes := map[uint32]bool{}
		for n := range 20 {
			holding, err := one.Begin(t.Context()) // the other gets what is left
			if err != nil {
				t.Fatal(err)
			}
			processes[add(t, other, n)] = true
			processes[add(t, holding, n)] = true
			if err := holding.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			one, other = other, one
		}
		if len(processes) < 2 {
			t.Fatalf("every transaction was on the same server connection: %v", processes)
		}
		if n := statements(t, one); n != 0 {
			t.Fatalf("%d prepared statements", n)
		}
	})
}

// TestPreparedStatementsAreLostBehindAPooler: what a session would meet that prepares there, so that the test above is known
// to show it.
func TestPreparedStatementsAreLostBehindAPooler(t *testing.T) {
	t.Parallel()
	pooler := pgtest.NewPooler(t, pgtest.Newest(t), 2)
	conn, err := connect(t.Context(), pooler.URL, "session", pgx.QueryExecModeCacheStatement, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(conn) })
	process := add(t, conn, 1)
	other, err := prepared(t, pooler.URL).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if add(t, other, 1) != process {
		t.Fatal("the other client was given another connection")
	}
	err = Classify(conn.QueryRow(t.Context(), "SELECT $1::int + 1, pg_backend_pid()", 2).Scan(new(int), new(int)))
	if !Raised(err, "26000") || !failure.Is(err, failure.Unknown) {
		t.Fatalf("got %v (%s)", err, failure.Of(err))
	}
}
