// Package boundary cuts the key space of a table into chunks.
//
// It owns the cursor walk and the bound of a run. It leaves storing and sending chunks to planner. Invariants: the
// ranges of a window follow each other without gap or overlap, whatever is inserted or deleted meanwhile: the first
// begins where the caller says, the last of a closed walk ends at the bound, or downwards at the first key; order is decided
// by Postgres alone; the snapshot lives for one window, so that it does not keep pruning and vacuum from dead rows.
package boundary

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// cursor is the cursor's name; it lives for one transaction.
const cursor = "backfill_boundary"

// settings hold for one transaction: the walk follows the key's index (one process, no sort), and gives up rather
// than hold its snapshot for long.
const settings = `SELECT set_config(name, value, true) FROM (VALUES ('enable_seqscan', 'off'), ('enable_sort', 'off'),
	('jit', 'off'), ('max_parallel_workers_per_gather', '0'), ('statement_timeout', '30s'), ('lock_timeout', '5s'))
	AS settings (name, value)`

// Window is a stretch of the key space, cut into ranges.
type Window struct {
	Ranges []keyset.Range
	Keys   []int64 // that each range had when it was walked
	Closed bool    // nothing is left behind the last range
}

// Bound finds the greatest key behind a point (nil: of all): where the run ends. It is nil where there is none.
func Bound(ctx context.Context, conn *pgx.Conn, c change.Change, behind keyset.Point) (keyset.Point, error) {
	var bound keyset.Point
	err := transaction(ctx, conn, func(tx pgx.Tx) error {
		query := statement.Last(c, behind)
		err := tx.QueryRow(ctx, query.SQL, query.Args...).Scan(&bound)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the greatest key of %s: %w", c.Table, postgres.Classify(err))
	}
	return bound, nil
}

// Cut walks on from a point (nil: from the beginning), up to the bound, or where the change says so from the bound down, and cuts at
// most so many ranges of c.ChunkRows keys. Cost: an index walk over the keys of the window, no rows.
func Cut(ctx context.Context, conn *pgx.Conn, c change.Change, from, bound keyset.Point, ranges int) (Window, error) {
	return Split(ctx, conn, c, c.Order.Left(from, bound), ranges)
}

// Split is Cut within a range, from its beginning in the order of the change.
func Split(ctx context.Context, conn *pgx.Conn, c change.Change, within keyset.Range, ranges int) (Window, error) {
	var window Window
	err := transaction(ctx, conn, func(tx pgx.Tx) error {
		declare := statement.Cursor(c, cursor, within.Lo, within.Hi)
		if _, err := tx.Exec(ctx, declare.SQL, declare.Args...); err != nil {
			return err
		}
		ends, rest, err := fetch(ctx, tx, c, ranges)
		window = assemble(c.Order, ends, within, ranges)
		for i := range window.Ranges {
			window.Keys = append(window.Keys, c.ChunkRows)
			if i == len(ends) {
				window.Keys[i] = rest
			}
		}
		return err
	})
	if err != nil {
		return Window{}, fmt.Errorf("cut %s into chunks: %w", c.Table, postgres.Classify(err))
	}
	return window, nil
}

// fetch moves the cursor over whole chunks in one round trip and gives the key at which each ends, as Postgres prints it (a cast in
// the cursor would be made for every key that is moved over), and the number of keys after the last of them. A range has no lower end of
// its own, so downwards a chunk ends at the key behind its last, which is the first of the next.
func fetch(ctx context.Context, tx pgx.Tx, c change.Change, ranges int) (ends []keyset.Point, rest int64, err error) {
	pipeline, down := &pgconn.Batch{}, c.Order == keyset.Descending
	for i := range ranges {
		over := c.ChunkRows - 1
		if down && i == 0 {
			over = c.ChunkRows
		}
		if over > 0 {
			pipeline.ExecParams(fmt.Sprintf("MOVE FORWARD %d FROM %s", over, statement.Quote(cursor)), nil, nil, nil, nil)
		}
		pipeline.ExecParams("FETCH 1 FROM "+statement.Quote(cursor), nil, nil, nil, nil)
	}
	results := tx.Conn().PgConn().ExecBatch(ctx, pipeline)
	moved := int64(0) // by the last MOVE
	for results.NextResult() {
		answer := results.ResultReader().Read()
		switch {
		case strings.HasPrefix(answer.CommandTag.String(), "MOVE"):
			moved = answer.CommandTag.RowsAffected()
		case len(answer.Rows) == 0: // the first such step has the keys that are left, those after it none
			rest, moved = rest+moved, 0
		default:
			ends, moved = append(ends, point(answer.Rows[0])), 0
		}
	}
	if down && len(ends) > 0 {
		rest++ // the key at which the last of them ends
	}
	return ends, rest, results.Close()
}

func point(row [][]byte) keyset.Point {
	var end keyset.Point
	for _, column := range row {
		end = append(end, string(column))
	}
	return end
}

// assemble turns the ends of full chunks into ranges; what is left after the last full one goes up to the end of all, or down to it.
func assemble(order keyset.Order, ends []keyset.Point, left keyset.Range, ranges int) Window {
	var window Window
	for _, end := range ends {
		next := keyset.Range{Lo: left.Lo, Hi: end}
		if order == keyset.Descending {
			next, left.Hi = keyset.Range{Lo: end, Hi: left.Hi}, end
		} else {
			left.Lo = end
		}
		window.Ranges = append(window.Ranges, next)
	}
	if len(ends) < ranges && !left.Lo.Same(left.Hi) {
		window.Ranges = append(window.Ranges, left)
		left.Lo = left.Hi
	}
	window.Closed = left.Lo.Same(left.Hi)
	return window
}

// transaction reads in one short snapshot.
func transaction(ctx context.Context, conn *pgx.Conn, read func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, settings); err != nil {
			return err
		}
		return read(tx)
	})
}
