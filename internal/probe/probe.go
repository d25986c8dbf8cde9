// Package probe measures how the database fares, in one statement.
//
// It owns the statement and what its rows mean. It leaves names and limits to signal, and what follows to throttle. Invariants:
// one round trip, whatever is measured; it needs no rights, and what the role may not read is missing and says so; a probe that takes
// too long is an error, not an answer that is late.
package probe

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"time"

	"backfill/internal/postgres"
	"backfill/internal/signal"

	"github.com/jackc/pgx/v5"
)

//go:embed query.sql
var query string

// bound is the longest that a probe may take in the database.
const bound = "2s"

// denied is why a signal has no value.
const denied = "the role may not read it: GRANT pg_read_all_stats"

// Sample is what was measured at one moment.
type Sample struct {
	At       time.Time // the database's clock
	WAL      float64   // bytes written since the beginning of time
	Readings []signal.Reading
}

// Take measures. The limits are those that the readings are held against; before is the sample before, for what is measured
// over time, and committed how long the last commit that waited for the disk took; 0: not known.
func Take(ctx context.Context, conn *pgx.Conn, limits signal.Limits, before Sample, committed time.Duration) (Sample, error) {
	var sample Sample
	begun := time.Now()
	batch := &pgx.Batch{}
	batch.Queue("SELECT pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('jit', 'off', true), pg_catalog.clock_timestamp()", bound)
	batch.Queue(query)
	var measured []row
	err := postgres.Read(conn.SendBatch(ctx, batch), func(results pgx.BatchResults) (err error) {
		measured, err = read(results, &sample)
		return err
	})
	if err != nil {
		return Sample{}, fmt.Errorf("measure the database: %w", postgres.Classify(err))
	}
	sample.readings(limits, measured, before, committed)
	for i := range sample.Readings {
		sample.Readings[i].Age = time.Since(begun).Seconds()
	}
	return sample, nil
}

// row is one signal.
type row struct {
	Name  string
	Of    string
	Value *float64
	Why   string // there is none; "": the role may not read it
}

func read(results pgx.BatchResults, sample *Sample) ([]row, error) {
	if err := results.QueryRow().Scan(nil, nil, &sample.At); err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowToStructByPos[row])
}

// readings turns the rows into readings.
func (s *Sample) readings(limits signal.Limits, measured []row, before Sample, committed time.Duration) {
	add := func(name signal.Name, of string, value *float64, why string) {
		reading, known := limits.Read(name, of, value)
		if value == nil {
			reading.Missing = cmp.Or(why, denied)
		}
		if known {
			s.Readings = append(s.Readings, reading)
		}
	}
	for _, m := range measured {
		if m.Name != "wal" || m.Value == nil {
			add(signal.Name(m.Name), m.Of, m.Value, m.Why)
			continue
		}
		s.WAL = *m.Value
		if since := s.At.Sub(before.At).Seconds(); !before.At.IsZero() && since > 0 {
			rate := max(s.WAL-before.WAL, 0) / since
			add(signal.WALRate, "", &rate, "")
		}
	}
	if committed > 0 {
		milliseconds := float64(committed.Microseconds()) / 1000
		add(signal.CommitTime, "", &milliseconds, "")
	}
}
