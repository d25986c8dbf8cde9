package postgres

import (
	"context"
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
	name   string
	conn   *pgx.Conn
	used   time.Time
}

// NewSession makes a session; nothing is opened yet. The source gives the URL, each time a connection is opened.
func NewSession(source func(ctx context.Context) (string, error), name string) *Session {
	return &Session{source: source, name: name}
}

// Conn gives the open connection. Errors have a class, see Connect.
func (s *Session) Conn(ctx context.Context) (*pgx.Conn, error) {
	if s.conn != nil && !s.conn.IsClosed() && time.Since(s.used) > idle && !s.answers(ctx) {
		s.Drop()
	}
	if s.conn == nil || s.conn.IsClosed() {
		url, err := s.source(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := Connect(ctx, url, s.name)
		if err != nil {
			return nil, err
		}
		s.conn = conn
	}
	s.used = time.Now()
	return s.conn, nil
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
	closing, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(closing)
	s.conn = nil
}
