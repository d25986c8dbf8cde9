// Package meter measures what a change of the table costs the server: time, processor, WAL, growth, HOT share.
//
// It owns the reading of Postgres' and Linux' counters. It leaves what is measured to its caller. Invariant: time,
// processor and WAL are read at once when the work is over; what Postgres reports late is waited for afterwards.
package meter

import (
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/ground"

	"github.com/jackc/pgx/v5"
)

// Cost of one piece of work.
type Cost struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu_seconds"` // of the whole server; 0: it is on another machine
	WAL     int64   `json:"wal_bytes"`
	Table   int64   `json:"table_growth_bytes"`
	Index   int64   `json:"index_growth_bytes"`
	Updates int64   `json:"updates"`
	HOT     int64   `json:"hot_updates"`
}

// Meter reads one server.
type Meter struct{ processes processes }

// New looks for the server's processes.
func New(ctx context.Context, conn *pgx.Conn) (Meter, error) {
	found, err := find(ctx, conn)
	return Meter{processes: found}, err
}

// Measure has work done on the table, which is to update so many rows, and gives its cost.
func (m Meter) Measure(ctx context.Context, table *ground.Table, rows int64, work func(context.Context) error) (Cost, error) {
	before, err := m.read(ctx, table.Conn)
	if err != nil {
		return Cost{}, err
	}
	updates, err := count(ctx, table.Conn)
	if err != nil {
		return Cost{}, err
	}
	begun := time.Now()
	if err := work(ctx); err != nil {
		return Cost{}, err
	}
	took := time.Since(begun)
	after, err := m.read(ctx, table.Conn)
	if err != nil {
		return Cost{}, err
	}
	done, err := await(ctx, table.Conn, updates.All+rows)
	return Cost{
		Seconds: took.Seconds(), CPU: after.cpu - before.cpu, WAL: after.wal - before.wal, Table: after.table - before.table,
		Index: after.index - before.index, Updates: done.All - updates.All, HOT: done.HOT - updates.HOT,
	}, err
}

// reading is what the server's counters show at a moment.
type reading struct {
	cpu               float64
	wal, table, index int64
}

func (m Meter) read(ctx context.Context, conn *pgx.Conn) (r reading, err error) {
	if r.cpu, err = m.processes.seconds(); err != nil {
		return r, err
	}
	err = conn.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, pg_table_size($1::regclass), pg_indexes_size($1::regclass)`,
		ground.Relation).Scan(&r.wal, &r.table, &r.index)
	if err != nil {
		return r, fmt.Errorf("read the server's figures: %w", err)
	}
	return r, nil
}
