package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

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
func Explain(ctx context.Context, conn *pgx.Conn, query statement.Query) (Plan, error) {
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
		plan.Scan, err = scanOf(ctx, tx, query)
		return err
	})
	if err != nil {
		return Plan{}, fmt.Errorf("explain a batch: %w", postgres.Classify(err))
	}
	return plan, nil
}

func scanOf(ctx context.Context, tx pgx.Tx, query statement.Query) (string, error) {
	var text string
	if err := tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+query.SQL, query.Args...).Scan(&text); err != nil {
		return "", err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return "", fmt.Errorf("read a plan: %d plans: %w", len(plans), err)
	}
	return plans[0].Plan.whole(), nil
}

// whole is scan, also of the CTEs of a statement that keeps undo: to Postgres each is a plan beside the one that reads it.
func (n node) whole() string {
	for _, child := range n.Plans {
		if strings.HasPrefix(child.Subplan, "CTE backfill_") {
			child.Parent = ""
			if found := child.whole(); found != "" {
				return found
			}
		}
	}
	return n.scan()
}
