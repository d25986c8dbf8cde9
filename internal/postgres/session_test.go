package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// bundle is a session through a proxy, and a connection beside it.
type bundle struct {
	*Session
	proxy  *pgtest.Proxy
	beside *pgx.Conn
	opened int // times that the source was asked
	pings  atomic.Int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := pgtest.Newest(t)
	b := &bundle{proxy: pgtest.NewProxy(t, db), beside: db.Connect(t)}
	b.proxy.CutWhen(func(fromServer bool, kind byte) bool {
		if !fromServer && kind == 'Q' { // a simple query: nothing else than a ping is one
			b.pings.Add(1)
		}
		return false
	})
	b.Session = NewSession(func(context.Context) (string, error) { b.opened++; return b.proxy.URL, nil }, "session")
	t.Cleanup(b.Drop)
	return b
}

// connected demands a connection that works, and gives the server's process of it.
func (b *bundle) connected(t *testing.T) uint32 {
	t.Helper()
	conn, err := b.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var pid uint32
	if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// end has the server end the session's connection, and waits until it has.
func (b *bundle) end(t *testing.T, pid uint32) {
	t.Helper()
	if _, err := b.beside.Exec(t.Context(), "SELECT pg_terminate_backend($1)", pid); err != nil {
		t.Fatal(err)
	}
	b.expectGone(t, pid)
}

func (b *bundle) expectGone(t *testing.T, pid uint32) {
	t.Helper()
	pgtest.WaitUntil(t, b.beside, fmt.Sprintf("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %d)", pid))
}

// rest lets the session rest, as a frozen environment would.
func (b *bundle) rest() { b.used = b.used.Add(-idle - time.Second) }

func TestASessionKeepsItsConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.opened != 0 {
		t.Fatal("opened before it is needed")
	}
	first := b.connected(t)
	if second := b.connected(t); second != first || b.opened != 1 || b.pings.Load() != 0 {
		t.Fatalf("connections %d and %d, opened %d times, %d pings", first, second, b.opened, b.pings.Load())
	}
	b.rest()
	if third := b.connected(t); third != first || b.pings.Load() != 1 {
		t.Fatalf("after a rest: connections %d and %d, %d pings", first, third, b.pings.Load())
	}
	if b.connected(t); b.pings.Load() != 1 {
		t.Fatalf("%d pings", b.pings.Load())
	}
}

func TestAConnectionThatEndedWhileTheSessionRestedIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.connected(t)
	b.end(t, first)
	b.rest()
	if second := b.connected(t); second == first || b.opened != 2 {
		t.Fatalf("connections %d and %d, opened %d times", first, second, b.opened)
	}
}

// TestAConnectionThatEndsInUseIsReplaced: the one call that meets it fails, the next has another connection.
func TestAConnectionThatEndsInUseIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.connected(t)
	b.end(t, first)
	conn, err := b.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT 1"); !failure.Is(Classify(err), failure.Unknown) {
		t.Fatalf("got %v (%s)", err, failure.Of(Classify(err)))
	}
	if second := b.connected(t); second == first || b.opened != 2 {
		t.Fatalf("connections %d and %d, opened %d times", first, second, b.opened)
	}
}

// TestANetworkThatSwallowsEverything: no answer and no reset, as after a failover or behind a NAT that has forgotten.
func TestANetworkThatSwallowsEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.connected(t)
	swallowed := make(chan struct{})
	b.proxy.CutWhen(func(fromServer bool, kind byte) bool {
		if !fromServer && kind == 'Q' {
			<-swallowed
		}
		return false
	})
	t.Cleanup(func() { close(swallowed) })
	b.rest()
	if second := b.connected(t); second == first {
		t.Fatal("the connection was not replaced")
	}
}

func TestDropClosesTheConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Drop() // nothing is open yet
	first, conn := b.connected(t), b.conn
	b.Drop()
	b.Drop()
	b.expectGone(t, first)
	if !conn.IsClosed() { // a connection that is merely forgotten is closed by the garbage collector, some day
		t.Fatal("the connection is open")
	}
	if second := b.connected(t); second == first || b.opened != 2 {
		t.Fatalf("connections %d and %d, opened %d times", first, second, b.opened)
	}
}

func TestASessionThatCannotOpenTriesAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	source, broken := b.source, failure.New(failure.Transient, "no secret")
	b.source = func(context.Context) (string, error) { return "", broken }
	if _, err := b.Conn(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	b.source = func(context.Context) (string, error) { return "marker", nil }
	if _, err := b.Conn(t.Context()); !failure.Is(err, failure.Invalid) {
		t.Fatalf("got %v", err)
	}
	b.source = source
	b.connected(t)
}
