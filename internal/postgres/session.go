package postgres

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// idle is how long a connection may rest before it is tried out: a frozen Lambda environment does not notice that
// its connection was cut.
const idle = 15 * time.Second

// answer is how long a connection that has rested may take to answer. Where the network swallows everything (after a
// failover, or behind a NAT that has forgotten the connection) no answer ever comes, and no error.
const answer = 2 * time.Second

// Session is the one connection of a Lambda environment, opened when it is first needed and again after it broke.
// It is for one goroutine.
type Session struct {
	source func(ctx context.Context) (string, error)
	roots  func(host string) *x509.CertPool
	name   string
	mode   pgx.QueryExecMode
	tracer pgx.QueryTracer // nil: nobody is told of statements
	remedy string          // for a login that is refused still, though it was read anew
	rests  []time.Duration // before each time that it is read anew
	conn   *pgx.Conn
	used   time.Time
	opened bool // once at least, so the login was right
}

// NewSession makes a session; nothing is opened yet. The source gives the URL, each time a connection is opened.
func NewSession(source func(ctx context.Context) (string, error), name string) *Session {
	return &Session{source: source, name: name, mode: described}
}

// Prepare has the session keep its statements prepared on the server, so that those of a batch are read and planned once
// and not for each batch. Where a pooler stands between, it gives that up: the next transaction may be on another server
// connection, which knows nothing of them.
func (s *Session) Prepare() *Session {
	s.mode = pgx.QueryExecModeCacheStatement
	return s
}

// Trace has somebody told of each statement.
func (s *Session) Trace(tracer pgx.QueryTracer) *Session {
	s.tracer = tracer
	return s
}

// Trusting gives the roots of the authorities that may have signed a server's certificate; nil: the system's. Without it they are always
// the system's. A sslrootcert in the URL goes before.
func (s *Session) Trusting(roots func(host string) *x509.CertPool) *Session {
	s.roots = roots
	return s
}

// Renewing has a login that the server refuses read anew from the source, some times, for it may be changed right now. The remedy is told
// where that does not help.
func (s *Session) Renewing(remedy string) *Session {
	s.remedy, s.rests = remedy, rotation
	return s
}

// Conn gives the open connection. Errors have a class, see Connect.
func (s *Session) Conn(ctx context.Context) (*pgx.Conn, error) {
	if s.conn != nil && !s.conn.IsClosed() && time.Since(s.used) > idle && !s.answers(ctx) {
		s.Drop()
	}
	if s.conn == nil || s.conn.IsClosed() {
		conn, err := s.renew(ctx)
		if err != nil {
			return nil, err
		}
		s.conn, s.opened = conn, true
	}
	s.used = time.Now()
	return s.conn, nil
}

// Database is the name of the one that the connection is to, "" while there is none.
func (s *Session) Database() string {
	if s.conn == nil {
		return ""
	}
	return s.conn.Config().Database
}

func (s *Session) open(ctx context.Context) (*pgx.Conn, error) {
	url, err := s.source(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, url, s.name, s.mode, s.tracer, s.roots)
	if err != nil || s.mode == described {
		return conn, err
	}
	direct, err := isDirect(ctx, conn)
	if direct {
		return conn, nil
	}
	closeNow(conn)
	if err != nil {
		return nil, fmt.Errorf("ask the server for its process: %w", Classify(err))
	}
	s.mode = described
	return connect(ctx, url, s.name, s.mode, s.tracer, s.roots)
}

// isDirect tells whether no pooler stands between: the process that answers is the one that greeted. A pooler greets by
// itself, with a number of its own.
func isDirect(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var process uint32
	err := conn.QueryRow(ctx, "SELECT pg_catalog.pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&process)
	return err == nil && process == conn.PgConn().PID(), err
}

func (s *Session) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return s.conn.Ping(ctx) == nil
}

// Drop closes the connection, whether or not the server takes the farewell; the next Conn opens another.
func (s *Session) Drop() {
	if s.conn == nil {
		return
	}
	closeNow(s.conn)
	s.conn = nil
}

func closeNow(conn *pgx.Conn) {
	closing, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(closing)
}
