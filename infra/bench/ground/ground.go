// Package ground makes the table that every contender changes: anew each time, so that none runs on what another left.
//
// It owns the table, its tasks, the databases that it creates and drops, and the check of the content. It leaves what
// is done to the table to contender. Invariant: a contender begins on a table without a dead row, all of it visible,
// in memory, after a checkpoint; two benchmarks do not share a server.
package ground

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Ground is a server with the table.
type Ground interface {
	// Make makes the table anew. What Make gave before is gone.
	Make(ctx context.Context, task Task, rows int64) (*Table, error)
	// Server is a connection for questions about the server.
	Server() *pgx.Conn
	// Close removes what was made.
	Close()
}

// lock is what a benchmark holds of a server for as long as it lives.
const lock = "SELECT pg_try_advisory_lock(hashtext('backfill bench'))"

func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to the benchmark's server: %w", err)
	}
	return conn, nil
}

// enter connects and takes the lock.
func enter(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	var free bool
	if err = conn.QueryRow(ctx, lock).Scan(&free); err == nil && !free {
		err = errors.New("another benchmark works on it")
	}
	if err != nil {
		_ = conn.Close(ctx)
		return nil, fmt.Errorf("enter the benchmark's server: %w", err)
	}
	return conn, nil
}
