package catalog

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"backfill/internal/signal"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// numbers are the types that a metric may give.
var numbers = []uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID}

// checkMetrics has the server parse and plan each query. It is not run.
func (r *resolver) checkMetrics(ctx context.Context) error {
	for _, m := range r.definition.Metrics {
		if r.definition.Refused("throttle." + string(m.Name)) {
			continue
		}
		if err := r.checkMetric(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) checkMetric(ctx context.Context, m signal.Metric) error {
	const before = "SELECT ("
	path := "throttle." + string(m.Name) + ".query"
	var described *pgconn.StatementDescription
	server, err := r.try(ctx, func() (err error) {
		described, err = r.tx.Conn().PgConn().Prepare(ctx, "", before+m.Query+")", nil)
		return err
	})
	if err == nil && server == nil && !slices.Contains(numbers, described.Fields[0].DataTypeOID) {
		r.refuse(path, 0, "the query gives no number", "have it give one number: count(*), max(..), or a cast to numeric")
		return nil
	}
	if err == nil && server == nil { // rights are looked at when it is planned
		server, err = r.try(ctx, func() error { _, err := r.tx.Exec(ctx, "EXPLAIN "+m.Statement()); return err })
	}
	if err != nil {
		return fmt.Errorf("prepare %s: %w", path, err)
	}
	if server != nil {
		r.blameMetric(path, m.Query, server, int(server.Position)-1-utf8.RuneCountInString(before))
	}
	return nil
}

func (r *resolver) blameMetric(path, query string, server *pgconn.PgError, at int) {
	offset := 0
	if text := []rune(query); server.Position > 0 && at >= 0 && at <= len(text) {
		offset = len(string(text[:at]))
	}
	remedy, known := remedies[server.Code]
	if !known {
		remedy = "write a query that Postgres accepts: SELECT, and one number"
	}
	r.refuse(path, offset, server.Message, remedy)
}
