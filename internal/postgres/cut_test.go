package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
)

// TestAConnectionThatIsCutLeavesTheOutcomeOpen: before the statement has arrived, and after it was committed, look the
// same from here.
func TestAConnectionThatIsCutLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		for name, c := range map[string]struct {
			fromServer bool
			kind       byte
			rows       int // that were changed
		}{
			"before the commit": {false, pgtest.Sync, 0},
			"before the answer": {true, pgtest.ReadyForQuery, 2},
		} {
			t.Run(name, func(t *testing.T) { b.cut(t, c.fromServer, c.kind, c.rows) })
		}
	})
}

// cut cuts a connection at a message of its second round trip: the first describes the statement, this one runs it.
func (b *bundle) cut(t *testing.T, fromServer bool, kind byte, changed int) {
	must(t, exec(b.conn, "UPDATE t SET n = NULL"))
	proxy := pgtest.NewProxy(t, b.db)
	conn, err := postgres.Connect(t.Context(), proxy.URL, "test")
	must(t, err)
	var described atomic.Bool
	proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && described.Swap(true) })
	_, err = conn.Exec(t.Context(), "UPDATE t SET n = $1", 7)
	if err = postgres.Classify(err); !failure.Is(err, failure.Unknown) {
		t.Fatalf("got %v (%s)", err, failure.Of(err))
	}
	pgtest.WaitUntil(t, b.conn, gone(conn.PgConn().PID()))
	var rows int
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM t WHERE n = 7").Scan(&rows))
	if rows != changed {
		t.Errorf("%d rows were changed, want %d", rows, changed)
	}
	if err := postgres.Classify(exec(conn, "UPDATE t SET n = 8")); !failure.Is(err, failure.Transient) {
		t.Errorf("a statement that was never sent: %v (%s)", err, failure.Of(err))
	}
}

// TestADeadlineLeavesTheOutcomeOpen, but one that had passed before anything was sent does not.
func TestADeadlineLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := b.conn.Exec(ctx, "SELECT pg_sleep(60)")
		ended <- err
	}()
	pgtest.WaitUntil(t, db.Connect(t), sleeping)
	cancel()
	if err := postgres.Classify(<-ended); !failure.Is(err, failure.Unknown) {
		t.Errorf("in the middle: %v (%s)", err, failure.Of(err))
	}
	_, err := db.Connect(t).Exec(ctx, "SELECT 1")
	if err := postgres.Classify(err); !failure.Is(err, failure.Transient) {
		t.Errorf("too late: %v (%s)", err, failure.Of(err))
	}
}
