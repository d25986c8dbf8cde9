// Package batch applies one batch of a chunk: one transaction, one round trip.
//
// It owns the pipelines {advance the ledger; change the rows and keep what they held; find the end of the next batch} and
// {advance the ledger; restore rows; consume their undo}, and what their answers mean. It leaves the size of a batch to pace, retries and exits to worker. Invariants: the ledger is advanced
// first, so nothing behind it commits for a stale claim; an error means that nothing of the batch is committed,
// unless its class is failure.Unknown; no row leaves Postgres, so memory does not
// depend on rows; but those that a Go function computes do, so many bytes of them at a time.
package batch

import (
	"time"

	"backfill/internal/ledger"
)

// Outcome is what a committed batch did.
type Outcome struct {
	Keys     int64 // worked on, which a rate counts
	Affected int64 // rows written in the chunk so far
	Bytes    int64 // what the batch keeps for undo, before compression
	Done     bool  // nothing of the chunk is left
	Took     time.Duration
	ledger.Steering
}
