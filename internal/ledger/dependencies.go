package ledger

import (
	"context"
	"fmt"

	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// Dependency is how far a backfill is in this database.
type Dependency struct {
	Backfill   string
	Done       bool      // a run of it is COMPLETED, and no chunk of that run was rolled back
	Newest     string    // the run that began last; "": none has
	State      run.State // of that
	RolledBack int64     // chunks of that which were rolled back
}

// Dependencies tells of each backfill, in the order of the names. A database without the schema has none.
func (l *Ledger) Dependencies(ctx context.Context, backfills []string) ([]Dependency, error) {
	if len(backfills) == 0 {
		return nil, nil
	}
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT asked.backfill, EXISTS (SELECT FROM backfill.runs d WHERE d.backfill = asked.backfill AND d.state = 'COMPLETED'
			AND NOT EXISTS (SELECT FROM backfill.ledger WHERE run = d.run AND state = 'ROLLED_BACK')),
		coalesce(n.run, ''), coalesce(n.state, ''), coalesce((SELECT count(*) FROM backfill.ledger WHERE run = n.run AND state = 'ROLLED_BACK'), 0)
		FROM unnest($1::text[]) WITH ORDINALITY AS asked(backfill, place)
		LEFT JOIN LATERAL (SELECT run, state FROM backfill.runs WHERE backfill = asked.backfill ORDER BY started_at DESC, run DESC LIMIT 1) n ON true
		ORDER BY place`, backfills)
	var found []Dependency
	if err == nil {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Dependency])
	}
	if postgres.Raised(err, undefinedTable) { // no run has begun in this database yet
		found, err = nil, nil
		for _, name := range backfills {
			found = append(found, Dependency{Backfill: name})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look for runs of %v: %w", backfills, postgres.Classify(err))
	}
	return found, nil
}
