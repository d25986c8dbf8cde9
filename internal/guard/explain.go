package guard

import (
	"context"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Plan is how Postgres would carry out a statement.
type Plan struct {
	Lines []string // as EXPLAIN prints it
	Scan  string   // what reads a whole table or index, "" where nothing does
}

// Explain plans a statement under the settings of a batch, for the very values. It is not run. A plan may hold values: those that the
// statement has, and what Postgres has folded of functions that are declared IMMUTABLE.
func Explain(ctx context.Context, conn *pgx.Conn, c change.Change, query statement.Query) (Plan, error) {
	var plan Plan
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, settings); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, "EXPLAIN "+query.SQL, query.Args...)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		plan.Lines = lines
		tree, err := explain(ctx, tx, query)
		plan.Scan = scanOf(c)(tree)
		return err
	})
	if err != nil {
		return Plan{}, fmt.Errorf("explain a batch: %w", postgres.Classify(err))
	}
	return plan, nil
}
