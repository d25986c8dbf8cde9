package contender

import (
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/ground"
	"backfill/internal/deadline"
)

// single is what everything is measured against.
func single(_ context.Context, table *ground.Table) ([]Leg, error) {
	return []Leg{{Name: Single, Work: func(ctx context.Context) error {
		if _, err := table.Conn.Exec(ctx, table.Task.Update()); err != nil {
			return fmt.Errorf("one UPDATE: %w", err)
		}
		return nil
	}}}, nil
}

// quiet is how long users are watched while nothing else is done.
const quiet = 10 * time.Second

// Nothing is done to the table: how it is for users usually.
var Nothing = Contender{Name: "idle", Why: Idle, Enter: func(context.Context, *ground.Table) ([]Leg, error) {
	return []Leg{{Name: Idle, Same: true, Back: true, Work: func(ctx context.Context) error {
		if !deadline.Rest(ctx, quiet) {
			return ctx.Err()
		}
		return nil
	}}}, nil
}}
