package catalog

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// alias names the subquery whose fate tells volatile expressions apart.
const alias = "backfill_probe"

// checkVolatile asks the planner: it merges a subquery into the query around it unless its columns are volatile, in
// which case a Subquery Scan of that name is left in the plan. EXPLAIN also checks the rights of what is called and
// read, and folds constants, so it finds 1/0.
func (r *resolver) checkVolatile(ctx context.Context, p probe) error {
	bound, values := r.bind(p.expression)
	const before = "FROM (SELECT ("
	query := fmt.Sprintf("EXPLAIN (FORMAT JSON) SELECT 1 FROM (SELECT (%s) AS value FROM %s) AS %s WHERE value IS NULL",
		p.expression.Bind(bound), r.quoted()+r.beside(", "), alias)
	var plan string
	server, err := r.try(ctx, func() error { return r.tx.QueryRow(ctx, query, values...).Scan(&plan) })
	if err != nil {
		return fmt.Errorf("explain %s: %w", p.path, err)
	}
	if server != nil {
		r.blame(p, server, int(server.Position)-1-utf8.RuneCountInString(query[:strings.Index(query, before)+len(before)]))
	}
	if !strings.Contains(plan, `"Alias": "`+alias+`"`) {
		return nil
	}
	r.kind().unsteady(r, p)
	return nil
}
