package batch

import (
	"backfill/internal/chunk"
	"backfill/internal/ledger"

	"github.com/jackc/pgx/v5"
)

// How a prepared statement is planned.
const (
	// custom plans it for the very values: what lies between two keys decides how it is found.
	custom = "force_custom_plan"
	// generic plans it once: a list of keys is found in one way, whatever keys they are.
	generic = "force_generic_plan"
)

// settings hold for the rest of the batch's transaction. Early: its commit does not wait for the disk, so that locks are held
// for less long. A crash of the server may take the last such batches back, rows, undo and ledger together, and the worker goes
// on from what the ledger holds then. A commit that waits makes all before it safe; so do the last batch of a chunk, and
// each heartbeat that tells of progress. Not for a change that is volatile: a value that somebody saw would become another.
// With them the batch asks whether the run is limited, and whether its slot is still there.
func settings(message chunk.Message, plans string, early bool) (string, []any) {
	return `SELECT limited, surplus, budget, pg_catalog.set_config('plan_cache_mode', $3, true),
		pg_catalog.set_config('synchronous_commit', CASE WHEN $4 THEN 'off' ELSE pg_catalog.current_setting('synchronous_commit') END, true)
		FROM backfill.steer($1, $2)`,
		[]any{message.Run, message.Chunk, plans, early}
}

// begin reads the answers of advance and settings, and tells what the run's limits say.
func begin(results pgx.BatchResults) (steering ledger.Steering, err error) {
	if _, err := results.Exec(); err != nil {
		return steering, err
	}
	return steering, results.QueryRow().Scan(&steering.Limited, &steering.Surplus, &steering.Budget, nil, nil)
}

// beginLocked is begin where statements that lock rows follow.
func beginLocked(results pgx.BatchResults, locks int) (steering ledger.Steering, err error) {
	steering, err = begin(results)
	for range locks {
		if err == nil {
			_, err = results.Exec()
		}
	}
	return steering, err
}
