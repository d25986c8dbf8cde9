package postgres_test

import (
	"syscall"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// ownServer is a server that other tests do not feel.
func ownServer(t *testing.T) (*cluster.Cluster, *bundle) {
	t.Helper()
	server := cluster.New(t, pgtest.Newest(t))
	return server, setup(t, server.Database())
}

// TestAServerWithoutRoom: connections, memory for locks, disk. All of it comes back by itself, or by an operator's hand.
func TestAServerWithoutRoom(t *testing.T) {
	t.Parallel()
	server, b := ownServer(t)
	t.Run("memory", func(t *testing.T) {
		err := exec(b.conn, "SELECT pg_advisory_lock(g) FROM generate_series(1, 1000000) g")
		expectError(t, err, "53200", failure.Transient)
		must(t, exec(b.conn, "SELECT pg_advisory_unlock_all()"))
	})
	t.Run("connections", func(t *testing.T) {
		const more = 100 // than the server allows
		var err error
		for i := 0; i < more && err == nil; i++ {
			var conn *pgx.Conn
			if conn, err = postgres.Connect(t.Context(), b.db.URL, "one more"); err == nil {
				defer func() { _ = conn.Close(t.Context()) }()
			}
		}
		expectError(t, err, "53300", failure.Transient)
	})
	t.Run("disk", func(t *testing.T) {
		space := server.SmallDisk(t, "16M")
		must(t, exec(b.conn, "CREATE TABLESPACE small LOCATION '"+space+"'", "CREATE TABLE big (filler text) TABLESPACE small"))
		cluster.Fill(t, space)
		err := exec(b.conn, "INSERT INTO big SELECT repeat(md5(g::text), 9) FROM generate_series(1, 9999) g")
		expectError(t, err, "53100", failure.Transient)
		if postgres.MetRows(postgres.Classify(err)) {
			t.Error("a row is sought")
		}
	})
}

// TestAServerThatFalls: whether a commit had happened is not known in the sessions that it ends. Nothing was sent by those that
// it does not let in.
func TestAServerThatFalls(t *testing.T) {
	t.Parallel()
	_, b := ownServer(t)
	t.Run("a process is killed", func(t *testing.T) {
		ended := make(chan error)
		victim := b.db.Connect(t)
		go func() { ended <- exec(b.conn, "SELECT pg_sleep(60)") }()
		pgtest.WaitUntil(t, b.db.Connect(t), sleeping)
		must(t, syscall.Kill(int(victim.PgConn().PID()), syscall.SIGKILL))
		// The server says 57P02 as a warning, and hangs up.
		if err := postgres.Classify(<-ended); !failure.Is(err, failure.Unknown) {
			t.Errorf("got %v (%s)", err, failure.Of(err))
		}
	})
	t.Run("it shuts down", func(t *testing.T) {
		conn := b.again(t)
		var first int
		must(t, conn.QueryRow(t.Context(), "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int").Scan(&first))
		must(t, syscall.Kill(first, syscall.SIGTERM)) // it waits for those that are in
		_, err := postgres.Connect(t.Context(), b.db.URL, "late")
		for err == nil { // it has not seen the signal yet
			_, err = postgres.Connect(t.Context(), b.db.URL, "late")
		}
		expectError(t, err, "57P03", failure.Transient)
	})
}

// again connects as soon as the server has recovered. Whatever it says before, it is a matter of waiting.
func (b *bundle) again(t *testing.T) *pgx.Conn {
	t.Helper()
	for {
		conn, err := postgres.Connect(t.Context(), b.db.URL, "again")
		if err == nil {
			t.Cleanup(func() { _ = conn.Close(t.Context()) })
			return conn
		}
		if !failure.Is(err, failure.Transient) {
			t.Fatalf("while it recovers: %v (%s)", err, failure.Of(err))
		}
	}
}
