// Package completion decides that a run is complete, and makes the records agree with it. So it does for a rollback, and for a
// verification, whose certificate it writes.
//
// Done means that Postgres confirms that the finished ranges tile the key space up to the bound: never that a queue
// looks empty or that a counter is right. Invariants: the checkpoints agree with the ledger before the run is
// COMPLETED or ROLLED_BACK; the ledger is it before the record is.
package completion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/ledger"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/run"
)

// Ledger is what completion needs of Postgres.
type Ledger interface {
	Tiling(ctx context.Context, id string) (ledger.Tiling, error)
	Move(ctx context.Context, id string, from, to run.State) (bool, error)
	Restored(ctx context.Context, id string) (ledger.Run, error)
	Verified(ctx context.Context, id string) (ledger.Verified, error)
	Certify(ctx context.Context, id string, certificate run.Certificate, reason string) (bool, error)
	Run(ctx context.Context, id string) (ledger.Run, error)
	Entries(ctx context.Context, id string, numbers []int64) ([]ledger.Entry, error)
}

// Records is what completion needs of DynamoDB.
type Records interface {
	EachChunk(ctx context.Context, id string, visit func([]records.Checkpoint) error) error
	Checkpoint(ctx context.Context, checkpoint records.Checkpoint) error
	Close(ctx context.Context, id, execution string, to run.State, reason string) error
	ExpireChunks(ctx context.Context, id string, numbers []int64) error
}

// Completer completes runs.
type Completer struct {
	ledger   Ledger
	records  Records
	inquirer Inquirer
}

// New makes a completer.
func New(entries Ledger, records Records) *Completer {
	return &Completer{ledger: entries, records: records}
}

// Complete brings a run whose chunks are all finished to COMPLETED. A tiling that does not hold is a bug or a ledger
// that somebody changed: failure.Permanent, for a person to look at.
func (c *Completer) Complete(ctx context.Context, id string, planned int64) (bool, error) {
	tiling, err := c.ledger.Tiling(ctx, id)
	if err != nil {
		return false, err
	}
	if !tiling.Complete(planned) {
		return false, failure.New(failure.Permanent, "run %s: %s finished, %s planned, yet their ranges do not "+
			"tile the key space (%s, reaches the bound: %t)", id, figure.Plural(tiling.Finished, "chunk is", "chunks are"), figure.Count(planned),
			figure.Plural(tiling.Breaks, "break", "breaks"), tiling.Reaches)
	}
	lasting, err := c.agree(ctx, id, chunk.Completed)
	if err != nil {
		return false, err
	}
	stored, err := c.ledger.Run(ctx, id)
	if err != nil {
		return false, err
	}
	moved, err := c.ledger.Move(ctx, id, run.Running, run.Completed)
	if err != nil || !moved {
		return false, err
	}
	stored.State, stored.Reason = run.Completed, ""
	return c.record(ctx, stored, lasting)
}

// RolledBack ends a rollback of which no chunk is open any more, and brings the record in line.
func (c *Completer) RolledBack(ctx context.Context, id string) (bool, error) {
	lasting, err := c.agree(ctx, id, chunk.RolledBack)
	if err != nil {
		return false, err
	}
	stored, err := c.ledger.Restored(ctx, id)
	if err != nil || !stored.State.Ended() {
		return false, err
	}
	return c.record(ctx, stored, lasting)
}

// record brings the record of a run to its end, and lets the chunks' records go when it goes: those that would stay.
func (c *Completer) record(ctx context.Context, ended ledger.Run, lasting []int64) (bool, error) {
	if err := c.records.Close(ctx, ended.Run, ended.Execution, ended.State, ended.Reason); err != nil {
		return false, fmt.Errorf("record that run %s is %s: %w", ended.Run, ended.State, err)
	}
	if err := c.records.ExpireChunks(ctx, ended.Run, lasting); err != nil {
		return false, fmt.Errorf("let the chunks of run %s expire: %w", ended.Run, err)
	}
	return true, nil
}

// agree makes the checkpoints that are not in that state agree with the ledger: a worker may have died between its
// commit and its checkpoint. It tells whose records do not expire yet, so that they are read once. One that is written anew is among them.
func (c *Completer) agree(ctx context.Context, id string, final chunk.State) (lasting []int64, err error) {
	err = c.records.EachChunk(ctx, id, func(checkpoints []records.Checkpoint) error {
		late := map[int64]chunk.State{}
		for _, checkpoint := range checkpoints {
			if checkpoint.State != final {
				late[checkpoint.Chunk] = checkpoint.State
			}
			if checkpoint.State != final || !checkpoint.Expires {
				lasting = append(lasting, checkpoint.Chunk)
			}
		}
		if len(late) == 0 {
			return nil
		}
		return c.rewrite(ctx, id, late)
	})
	return lasting, err
}

// rewrite writes the copies that differ from the ledger.
func (c *Completer) rewrite(ctx context.Context, id string, late map[int64]chunk.State) error {
	entries, err := c.ledger.Entries(ctx, id, slices.Collect(maps.Keys(late)))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.State == late[e.Chunk] {
			continue
		}
		err := c.records.Checkpoint(ctx, rebuild.Copy(id, e))
		if err != nil && !errors.Is(err, records.ErrStale) {
			return fmt.Errorf("make checkpoint %d of run %s again: %w", e.Chunk, id, err)
		}
		slog.InfoContext(ctx, "checkpoint made again from the ledger", "run", id, "chunk", e.Chunk, "state", e.State)
	}
	return nil
}
