package catalog

import (
	"context"
	"fmt"

	"backfill/internal/definition"
)

// checkParams has the server read each value as its type: it alone knows every form of an interval, and what its
// encoding can hold.
func (r *resolver) checkParams(ctx context.Context) error {
	for _, param := range r.params {
		var null bool
		query := fmt.Sprintf("SELECT ($1::%s) IS NULL", param.Type)
		server, err := r.try(ctx, func() error { return r.tx.QueryRow(ctx, query, param.Value).Scan(&null) })
		if err != nil {
			return fmt.Errorf("check parameter %s: %w", param.Name, err)
		}
		if server != nil {
			r.problems = append(r.problems, definition.Problem{Path: "params." + param.Name,
				Message: server.Message, Remedy: "give a value that Postgres reads as " + param.Type})
		}
	}
	return nil
}
