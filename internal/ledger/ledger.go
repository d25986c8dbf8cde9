// Package ledger owns the schema "backfill" in the target database: what is true about runs, claims and batches.
//
// It decides by the database's clock and row locks alone. It leaves the data statements to statement, the pipeline of
// a batch to batch, and DynamoDB's copies to records. Invariants: a chunk has at most one live lease; its fence grows
// with every claim; its seq grows with every committed batch; one run that has not ended per table.
package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Version is the version of the schema that this code needs.
const Version = 1

// Schema is the SQL that makes the schema, for people who run it by hand.
//
//go:embed schema.sql
var Schema string

// lockMigration is the key of the advisory lock that lets one planner at a time change the schema.
const lockMigration = 0x6261636b66696c6c // "backfill"

// Database gives the open connection.
type Database interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Ledger reads and writes the schema over one connection.
type Ledger struct {
	database Database
	terms    Terms
}

// Terms are the durations that the whole stack agrees on.
type Terms struct {
	Lease     time.Duration // how long a claim lives without a batch
	Heartbeat time.Duration // how old the run's heartbeat may be before workers stop by themselves
}

// New makes a ledger; nothing is read yet.
func New(database Database, terms Terms) *Ledger { return &Ledger{database: database, terms: terms} }

// Migrate makes the schema, or brings it to Version. It takes no lock on anything of the user's.
func (l *Ledger) Migrate(ctx context.Context) error {
	current, err := l.version(ctx)
	if err != nil || current >= Version {
		return err
	}
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	script := fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d);\n%s\n"+
		"INSERT INTO backfill.version (version) SELECT %d WHERE NOT EXISTS "+
		"(SELECT FROM backfill.version WHERE version >= %d); COMMIT", lockMigration, Schema, Version, Version)
	if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
		_, _ = conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
		return fmt.Errorf("make schema backfill (version %d): %w", Version, postgres.Classify(err))
	}
	return nil
}

// version is 0 where there is no schema yet.
func (l *Ledger) version(ctx context.Context) (int, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return 0, err
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('backfill.version') IS NOT NULL").Scan(&exists); err != nil {
		return 0, fmt.Errorf("look for schema backfill: %w", postgres.Classify(err))
	}
	if !exists {
		return 0, nil
	}
	var version int
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM backfill.version").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read backfill.version: %w", postgres.Classify(err))
	}
	return version, nil
}
