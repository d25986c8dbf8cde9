// Package ledger owns the schema "backfill" in the target database: what is true about runs, claims and batches.
//
// It decides by the database's clock and row locks alone. It leaves the data statements to statement, the pipeline of
// a batch to batch, and DynamoDB's copies to records. Invariants: a chunk has at most one live lease; its fence grows
// with every claim; its seq grows with every committed batch; one run that has not ended per table.
package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

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
