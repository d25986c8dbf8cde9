package batch

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

const (
	// loneTries is how often a row by itself is read, computed and written with no lock in between.
	loneTries = 3
	// longestHeld bounds how long users wait for a row that is locked while the function works on it.
	longestHeld = time.Second
)

// alone commits a piece of one row, which is locked while the function works on it.
func (t *Transformed) alone(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, piece stretch) (outcome Outcome, err error) {
	begun, form, updated := time.Now(), t.form(conn), false
	outcome = Outcome{Keys: 1, Affected: claim.Affected, Done: piece.done} // where nothing is to be written
	step := ledger.Step{Keys: 1, Reached: piece.end, Done: piece.done, Timeout: t.Timeout}
	steering, err := t.locked(ctx, conn, *claim, step, piece.entries[0].key, func(now entry) *pgx.Batch {
		piece.entries = []entry{now}
		pipeline, given := &pgx.Batch{}, piece.computed()
		given.Held, updated = true, len(given.Keys) > 0
		t.change(pipeline, *claim, piece, given, form)
		return pipeline
	}, func(results pgx.BatchResults) error { return written(results, &outcome, *claim, piece, updated) })
	if err != nil {
		return Outcome{}, err
	}
	outcome.Steering = steering
	return outcome.moved(claim, piece, begun), nil
}

// locked is one transaction around one row: it is locked and read, the function works on it, and what it gave is for the rest of the
// transaction. Nobody else's call is waited for while the row is locked.
func (t *Transformed) locked(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, step ledger.Step, row keyset.Point,
	rest func(now entry) *pgx.Batch, read func(results pgx.BatchResults) error,
) (steering ledger.Steering, err error) {
	t.calls.Lock()
	defer t.calls.Unlock()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return steering, postgres.Classify(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // of nothing, after the commit
	var now entry
	err = postgres.Read(tx.SendBatch(ctx, t.locking(claim, step, row)), func(results pgx.BatchResults) (err error) {
		if steering, err = led(results, true); err != nil {
			return err
		}
		entries, _, err := t.scan(results)
		if err == nil {
			now = entries[0] // a list of one key has one answer
		}
		return err
	})
	if err != nil {
		return steering, postgres.Classify(err)
	}
	if err := t.under(ctx, &now); err != nil {
		return steering, err
	}
	change := rest(now)
	if change.Len() > 0 {
		err = postgres.Read(tx.SendBatch(ctx, change), read)
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	return steering, postgres.Classify(err)
}

func (t *Transformed) locking(claim ledger.Claim, step ledger.Step, row keyset.Point) *pgx.Batch {
	pipeline := &pgx.Batch{}
	t.lead(pipeline, claim, step, []keyset.Point{row})
	look := statement.ReadListed(t.Change, []keyset.Point{row})
	pipeline.Queue(look.SQL, look.Args...)
	return pipeline
}

// under has the function work on a row that is locked.
func (t *Transformed) under(ctx context.Context, now *entry) error {
	calling, cancel := context.WithTimeout(ctx, longestHeld)
	defer cancel()
	entries := []entry{*now}
	err := t.call(calling, t.Timeout, entries)
	*now = entries[0]
	s := stretch{entries: entries}
	switch failed := s.refused(t.Change.Key); {
	case err != nil && calling.Err() != nil && ctx.Err() == nil:
		return &Failed{Keys: 1, Within: statement.At(t.Change.Key, now.key), row: now.key, err: failure.As(failure.Data, &hot{t.Function.Name})}
	case err != nil:
		return s.broken(func(stretch) string { return statement.At(t.Change.Key, now.key) }, err)
	case failed != nil:
		return failed
	}
	return nil
}

// hot is the error of a row that users change again and again, faster than the function works on it.
type hot struct{ function string }

func (h *hot) Error() string { return h.Safe() }

// Safe is all of it: it has no value.
func (h *hot) Safe() string { return failure.SQLState(h.SQLState()) + ": " + h.Message() }

// SQLState is the code under which the row is rejected.
func (h *hot) SQLState() string { return failure.RowsChanged }

// Message says what a person can do something about.
func (h *hot) Message() string {
	return fmt.Sprintf("users change the row again and again, and function %q gave no answer within %s while it was locked", h.function, longestHeld)
}
