package contender

import (
	"context"
	"errors"
	"fmt"

	"backfill/infra/bench/ground"

	"github.com/jackc/pgx/v5"
)

// page is the size that scripts and frameworks use most.
const page = 1000

// loop is what a script does: find where the next page ends, update up to there, and so on (in_batches of Rails).
func loop(_ context.Context, table *ground.Table) ([]Leg, error) {
	end := fmt.Sprintf("SELECT id FROM %s WHERE id > $1 ORDER BY id LIMIT 1 OFFSET %d", ground.Relation, page-1)
	part := table.Task.Update() + " WHERE id > $1 AND id <= $2"
	rest := table.Task.Update() + " WHERE id > $1"
	return []Leg{{Name: Loop, Work: func(ctx context.Context) error {
		for last := int64(0); ; {
			var next int64
			err := table.Conn.QueryRow(ctx, end, last).Scan(&next)
			if errors.Is(err, pgx.ErrNoRows) {
				_, err = table.Conn.Exec(ctx, rest, last)
				return wrap("the loop", err)
			}
			if err == nil {
				_, err = table.Conn.Exec(ctx, part, last, next)
			}
			if err != nil {
				return wrap("the loop", err)
			}
			last = next
		}
	}}}, nil
}

func wrap(who string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	return nil
}
