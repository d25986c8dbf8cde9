package contender

import (
	"context"
	"fmt"

	"backfill/infra/bench/ground"
	"backfill/internal/definition"

	"github.com/jackc/pgx/v5"
)

// window is how many chunks the planner cuts in one transaction, once it is under way.
const window = 16

// walk finds where chunks end as a script on one connection would do it soonest: a cursor over the key's index in one
// transaction, moved over whole chunks, a window of them in each round trip. Nothing is stored.
func walk(_ context.Context, table *ground.Table) ([]Leg, error) {
	steps := &pgx.Batch{}
	for range window {
		steps.Queue(fmt.Sprintf("MOVE FORWARD %d FROM walk", definition.DefaultChunkRows-1))
		steps.Queue("FETCH 1 FROM walk")
	}
	return []Leg{{Name: Walk, Same: true, Back: true, Work: func(ctx context.Context) error {
		return wrap("the cursor walk", pgx.BeginFunc(ctx, table.Conn, func(tx pgx.Tx) error {
			for _, step := range []string{"SET LOCAL enable_seqscan = off",
				"DECLARE walk NO SCROLL CURSOR FOR SELECT id FROM " + ground.Relation + " ORDER BY id"} {
				if _, err := tx.Exec(ctx, step); err != nil {
					return err
				}
			}
			for {
				if found, err := move(ctx, tx, steps); err != nil || found < window {
					return err
				}
			}
		}))
	}}}, nil
}

// move makes one round trip, and tells how many chunks ended on its way.
func move(ctx context.Context, tx pgx.Tx, steps *pgx.Batch) (found int64, err error) {
	results := tx.SendBatch(ctx, steps)
	for range window {
		if _, err := results.Exec(); err != nil {
			return found, err
		}
		fetched, err := results.Exec()
		if err != nil {
			return found, err
		}
		found += fetched.RowsAffected()
	}
	return found, results.Close()
}
