// Package rebuild makes DynamoDB's records of a run again from Postgres.
//
// It owns what follows where the two disagree: the records were lost or are older (the table was restored), or they are
// newer (Postgres was restored, or failed over to a standby that lagged). It leaves the ledger's SQL to ledger and the
// items to records. Invariants: Postgres is right about every chunk that it knows; only ranges between those chunks are
// planned anew; it can be repeated, and works beside a run that goes on.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/records"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

const (
	page = 1000 // chunks that are read at once in Postgres
	read = 100  // and in DynamoDB: the limit of BatchGetItem
)

// again is what the log of a run says of it.
const again = "the records in DynamoDB were lost, or of another time: made again from Postgres"

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Ledger is what is true.
type Ledger interface {
	observation.Ledger
	Gaps(ctx context.Context, id string) ([]ledger.Gap, error)
	Fill(ctx context.Context, id string, entries []ledger.Entry) error
	Page(ctx context.Context, id string, after int64, limit int) ([]ledger.Entry, error)
	Note(ctx context.Context, id, what string, chunks []int64) error
}

// Records is what is made again.
type Records interface {
	observation.Records
	CreateRun(ctx context.Context, status run.Status, execution string) error
	SetPlan(ctx context.Context, id string, plan records.Plan) error
	Chunks(ctx context.Context, id string, numbers []int64) ([]records.Checkpoint, error)
	Overwrite(ctx context.Context, checkpoints []records.Checkpoint) error
}

// Rebuilt is what was done.
type Rebuilt struct {
	Run     string `json:"run"`
	Chunks  int64  `json:"chunks"`  // whose records were made again
	Gaps    int    `json:"gaps"`    // ranges between them that were planned anew
	Planned int64  `json:"planned"` // chunks that are planned now
	Closed  bool   `json:"closed"`  // they reach the bound
}

// Rebuilder rebuilds.
type Rebuilder struct {
	Session Session
	Ledger  Ledger
	Records Records
}

// Rebuild brings the records of a run in line with the ledger.
func (r Rebuilder) Rebuild(ctx context.Context, id string) (Rebuilt, error) {
	done := Rebuilt{Run: id}
	stored, err := r.Ledger.Run(ctx, id)
	if err != nil {
		return done, err
	}
	if done.Gaps, err = r.fill(ctx, stored); err != nil {
		return done, fmt.Errorf("plan the gaps of run %s: %w", id, err)
	}
	record, err := r.record(ctx, stored)
	if err != nil {
		return done, err
	}
	last, err := r.chunks(ctx, stored, &done)
	if err != nil {
		return done, err
	}
	plan := record.Plan
	if last.Chunk > plan.Planned {
		order := stored.Change.Order
		plan = records.Plan{Planned: last.Chunk, Cursor: order.Behind(last.Range), Closed: order.Ends(last.Range, stored.Bound)}
		if err := r.Records.SetPlan(ctx, id, plan); err != nil {
			return done, fmt.Errorf("record the plan of run %s: %w", id, err)
		}
	}
	if err := r.reset(ctx, id, last.Chunk, plan.Planned); err != nil {
		return done, fmt.Errorf("reset the chunks of run %s after %d: %w", id, last.Chunk, err)
	}
	if err := r.Ledger.Note(ctx, id, again, nil); err != nil {
		return done, err
	}
	if err := observation.Save(ctx, r.Ledger, r.Records, id); err != nil {
		return done, err
	}
	done.Planned, done.Closed = plan.Planned, plan.Closed
	slog.WarnContext(ctx, "records made again from the ledger", "run", id, "chunks", done.Chunks, "gaps", done.Gaps, "planned", done.Planned)
	return done, nil
}

// record finds the run's record, or makes it.
func (r Rebuilder) record(ctx context.Context, stored ledger.Run) (records.Record, error) {
	record, err := r.Records.Run(ctx, stored.Run)
	if !errors.Is(err, records.ErrNotFound) {
		return record, err
	}
	if err := r.Records.CreateRun(ctx, stored.Status(), stored.Execution); err != nil && !errors.Is(err, records.ErrExists) {
		return record, fmt.Errorf("record run %s: %w", stored.Run, err)
	}
	return r.Records.Run(ctx, stored.Run)
}

// chunks overwrites the records of all chunks that the ledger knows, and gives the last of them.
func (r Rebuilder) chunks(ctx context.Context, stored ledger.Run, done *Rebuilt) (last ledger.Entry, err error) {
	for {
		entries, err := r.Ledger.Page(ctx, stored.Run, last.Chunk, page)
		if err != nil || len(entries) == 0 {
			return last, err
		}
		checkpoints := make([]records.Checkpoint, len(entries))
		for i, entry := range entries {
			checkpoints[i] = Copy(stored.Run, entry)
		}
		if err := r.Records.Overwrite(ctx, checkpoints); err != nil {
			return last, fmt.Errorf("make the chunks of run %s again: %w", stored.Run, err)
		}
		done.Chunks += int64(len(entries))
		last = entries[len(entries)-1]
	}
}

// reset takes back what the records say of chunks that the ledger does not know (any more): planned, and nothing else.
func (r Rebuilder) reset(ctx context.Context, id string, after, planned int64) error {
	for first := after + 1; first <= planned; first += read {
		var numbers []int64
		for n := first; n <= min(first+read-1, planned); n++ {
			numbers = append(numbers, n)
		}
		checkpoints, err := r.Records.Chunks(ctx, id, numbers)
		if err != nil {
			return err
		}
		for i, c := range checkpoints {
			checkpoints[i] = records.Checkpoint{Run: id, Chunk: c.Chunk, State: chunk.Pending, Range: c.Range}
		}
		if err := r.Records.Overwrite(ctx, checkpoints); err != nil {
			return err
		}
	}
	return nil
}

// Copy is the record of a chunk as the ledger has it.
func Copy(id string, e ledger.Entry) records.Checkpoint {
	return records.Checkpoint{Run: id, Chunk: e.Chunk, State: e.State, Fence: e.Fence, Scanned: e.Scanned, Affected: e.Affected,
		Reason: e.Reason, Range: e.Range}
}
