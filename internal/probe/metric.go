package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"backfill/internal/failure"
	"backfill/internal/postgres"
	"backfill/internal/signal"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// Patience is the longest that a metric's query may take, and patience of all the longest after which another one begins.
	Patience      = 500 * time.Millisecond
	patienceOfAll = time.Second
)

// Ask reads the metrics of users, each in a read-only transaction of its own: what fails there is a reading without a value, and
// hinders no other signal.
func Ask(ctx context.Context, conn *pgx.Conn, metrics []signal.Metric) []signal.Reading {
	var readings []signal.Reading
	all := time.Now()
	for _, m := range metrics {
		begun := time.Now()
		if begun.Sub(all) > patienceOfAll {
			readings = append(readings, m.Read(nil, "other metrics took the time"))
			continue
		}
		value, err := ask(ctx, conn, m)
		reading := m.Read(value, why(value, err))
		reading.Age = time.Since(begun).Seconds()
		readings = append(readings, reading)
	}
	return readings
}

// beginning is sent in one go with the query, which so is parsed within the time limit, too: it may wait for a lock there. Nothing
// that a query does reopens the transaction.
var beginning = fmt.Sprintf(`SELECT pg_catalog.set_config('transaction_read_only', 'on', true), pg_catalog.set_config('jit', 'off', true),
	pg_catalog.set_config('statement_timeout', '%d', true)`, Patience.Milliseconds())

func ask(ctx context.Context, conn *pgx.Conn, m signal.Metric) (*float64, error) {
	batch := &pgconn.Batch{}
	for _, sql := range []string{beginning, m.Statement()} {
		batch.ExecParams(sql, nil, nil, nil, nil)
	}
	results, err := conn.PgConn().ExecBatch(ctx, batch).ReadAll()
	for _, result := range results {
		err = cmp.Or(err, result.Err)
	}
	if err != nil || results[1].Rows[0][0] == nil {
		return nil, err
	}
	value, err := strconv.ParseFloat(string(results[1].Rows[0][0]), 64)
	return &value, err
}

// why is the reason of a reading without a value; Postgres' own text may quote values.
func why(value *float64, err error) string {
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && server.Code == "57014":
		return fmt.Sprintf("its query takes longer than %d ms", Patience.Milliseconds())
	case server != nil:
		return "its query failed: " + failure.Safe(postgres.Classify(server))
	case err != nil:
		return "its query failed: " + failure.Safe(postgres.Classify(err))
	case value == nil:
		return "its query gives NULL"
	}
	return ""
}
