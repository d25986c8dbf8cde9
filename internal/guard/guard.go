// Package guard refuses a change whose statements Postgres would answer by scanning the table.
//
// It owns the look at the plans of the very statements that planner and workers will run, with the settings that
// they run under. It leaves the statements to statement. Invariant: nothing is executed but look-ups of a few keys.
package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// sample is the number of keys in the batch whose plan is looked at: that of an ordinary one.
const sample = 1000

// ordered leaves only the plans that need no sort, if there is one. Of a small table that was never analysed Postgres would
// rather sort what there is: that is no scan of a large one.
const ordered = "SELECT set_config(name, $1, true) FROM (VALUES ('enable_sort'), ('enable_bitmapscan')) AS settings (name)"

// settings are those of ledger's advance and of boundary's walk.
const settings = `SELECT set_config(name, value, true) FROM (VALUES ('enable_seqscan', 'off'), ('jit', 'off'),
	('max_parallel_workers_per_gather', '0'), ('statement_timeout', '30s'), ('lock_timeout', '5s')) AS settings (name, value)`

// Check explains the statements of a change from the first key to the bound. A plan that scans the table is
// failure.Invalid, with what the plan does. A table without rows has no plan to look at.
func Check(ctx context.Context, conn *pgx.Conn, c change.Change, bound keyset.Point) error {
	if bound == nil {
		return nil
	}
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, settings); err != nil {
			return err
		}
		// The walk over the keys first: only if it is quick may it be run to find a batch.
		if err := checkWalk(ctx, tx, c, bound); err != nil {
			return err
		}
		return checkBatch(ctx, tx, c, bound)
	})
	var classed *failure.Error
	if errors.As(err, &classed) {
		return err
	}
	return postgres.Classify(err)
}

func checkWalk(ctx context.Context, tx pgx.Tx, c change.Change, bound keyset.Point) error {
	if _, err := tx.Exec(ctx, ordered, "off"); err != nil {
		return err
	}
	if err := check(ctx, tx, c, "finding the next keys", statement.Next(c, bound, bound, sample), node.sort, scanOf(c)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, ordered, "on")
	return err
}

// checkBatch looks at the first batch of the table.
func checkBatch(ctx context.Context, tx pgx.Tx, c change.Change, bound keyset.Point) error {
	next := statement.Next(c, nil, bound, sample)
	var hi keyset.Point
	var keys int64
	var withFrom, withHi int
	err := tx.QueryRow(ctx, next.SQL, next.Args...).Scan(&hi, &keys, &withFrom, &withHi)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the first batch of %s: %w", c.Table, err)
	}
	for _, span := range []statement.Span{{Range: keyset.Range{Hi: hi}}, {Range: keyset.Range{Lo: hi, Hi: bound}}} {
		for _, update := range statement.Plain(c, span) {
			if err := check(ctx, tx, c, "changing a batch", update, scanOf(c)); err != nil {
				return err
			}
			if err := checkJoin(ctx, tx, c, update); err != nil {
				return err
			}
		}
	}
	return nil
}

func check(ctx context.Context, tx pgx.Tx, c change.Change, purpose string, query statement.Query, looks ...func(node) string) error {
	plan, err := explain(ctx, tx, query)
	if err != nil {
		return fmt.Errorf("explain %s of %s: %w", purpose, c.Table, err)
	}
	for _, look := range looks {
		if found := look(plan); found != "" {
			return failure.New(failure.Invalid, "%s would scan table %s for each batch: %s. "+
				"The key (%s) needs a unique btree index with these columns in this order, in the columns' own collations",
				purpose, c.Table, found, strings.Join(keyset.Names(c.Key), ", "))
		}
	}
	return nil
}

// scanOf is the scan that matters to a change: what it joins may be read whole (see checkJoin).
func scanOf(c change.Change) func(node) string {
	return func(n node) string { return n.scan(aliases(c)) }
}

func explain(ctx context.Context, tx pgx.Tx, query statement.Query) (node, error) {
	var text string
	if err := tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+query.SQL, query.Args...).Scan(&text); err != nil {
		return node{}, err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return node{}, fmt.Errorf("read %d plans: %w", len(plans), err)
	}
	return plans[0].Plan, nil
}
