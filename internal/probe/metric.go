package probe

import (
	"context"
	"errors"
	"fmt"
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

func ask(ctx context.Context, conn *pgx.Conn, m signal.Metric) (value *float64, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT pg_catalog.set_config('transaction_read_only', 'on', true), pg_catalog.set_config('jit', 'off', true),
		pg_catalog.set_config('statement_timeout', $1, true)`, fmt.Sprint(Patience.Milliseconds()))
	batch.Queue(m.Statement())
	results := conn.SendBatch(ctx, batch)
	if _, err = results.Exec(); err == nil {
		err = results.QueryRow().Scan(&value)
	}
	if closing := results.Close(); err == nil {
		err = closing
	}
	return value, err
}

// why is the reason of a reading without a value; Postgres' own text may quote values.
func why(value *float64, err error) string {
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && server.Code == "57014":
		return fmt.Sprintf("its query takes longer than %d ms", Patience.Milliseconds())
	case err != nil:
		return "its query failed: " + failure.Safe(postgres.Classify(err))
	case value == nil:
		return "its query gives NULL"
	}
	return ""
}
