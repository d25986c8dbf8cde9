package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"backfill/internal/change"
	"backfill/internal/postgres"
	"backfill/internal/signal"

	"github.com/jackc/pgx/v5"
)

// pause is the least time between two decisions. It is less than the governor's interval, so that a sample that comes a little
// early is not skipped.
const pause = 1700 * time.Millisecond

// Standing is what was decided last for the whole database, and what the next decision goes by.
type Standing struct {
	Now       time.Time
	Due       bool
	Rate      float64 // rows/s; 0: no limit
	Reason    string
	Law       string           // as Regulate kept it
	Sample    string           // likewise
	Speed     float64          // of all runs
	Rows      map[string]int64 // that each run that has not ended has handled; nil where nothing is due
	WAL       float64          // the ceiling in bytes/s; 0: none
	WALRate   float64          // rows/s that it allows; 0: no ceiling
	Limits    []signal.Limits  // of the runs that have not ended
	Metrics   []signal.Metric  // likewise
	Committed time.Duration    // how long the commit of this very question took
	decided   *time.Time
}

// Standing notes the speed of a run, and reads where the database stands. Its commit waits for the disk: it is the canary.
func (l *Ledger) Standing(ctx context.Context, id string, speed float64) (Standing, error) {
	var s Standing
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return s, err
	}
	begun, batch := time.Now(), &pgx.Batch{}
	batch.Queue(`INSERT INTO backfill.shares (run, speed, speed_at) SELECT run, $2, clock_timestamp() FROM backfill.runs WHERE run = $1
		ON CONFLICT (run) DO UPDATE SET speed = excluded.speed, speed_at = excluded.speed_at`, id, speed)
	batch.Queue(`SELECT clock_timestamp(), coalesce(decided_at < clock_timestamp() - $1::interval, true), coalesce(rate, 0), reason, law, sample, decided_at,
		coalesce((SELECT sum(speed) FROM backfill.shares WHERE speed_at > clock_timestamp() - interval '10 s'), 0),
		coalesce(wal, 0), coalesce(wal_rate, 0) FROM backfill.throttle`, pause)
	// A run that is paused does nothing, so its limits slow nobody.
	batch.Queue(`SELECT run, change::text, coalesce(signals, '{}') FROM backfill.runs LEFT JOIN backfill.shares USING (run) WHERE ended_at IS NULL AND state <> 'PAUSED'`)
	if err := postgres.Read(conn.SendBatch(ctx, batch), s.read); err != nil {
		return s, fmt.Errorf("read the rate of the database: %w", postgres.Classify(err))
	}
	s.Committed = time.Since(begun)
	if !s.Due {
		return s, nil
	}
	return s, s.count(ctx, conn)
}

// count reads what runs have handled: for itself, since the ledger may be large, and what it takes is no part of a commit. Chunks that the planner
// skipped had no batch.
func (s *Standing) count(ctx context.Context, conn *pgx.Conn) error {
	err := conn.QueryRow(ctx, `SELECT json_object_agg(run, handled) FROM (SELECT run, sum(scanned + restored + conflicts) FILTER (WHERE seq > 0) AS handled
		FROM backfill.ledger JOIN backfill.runs USING (run) WHERE ended_at IS NULL GROUP BY run) each WHERE handled IS NOT NULL`).Scan(&s.Rows)
	if err != nil {
		return fmt.Errorf("count what the runs have handled: %w", postgres.Classify(err))
	}
	return nil
}

func (s *Standing) read(results pgx.BatchResults) error {
	if _, err := results.Exec(); err != nil {
		return err
	}
	if err := results.QueryRow().Scan(&s.Now, &s.Due, &s.Rate, &s.Reason, &s.Law, &s.Sample, &s.decided, &s.Speed, &s.WAL, &s.WALRate); err != nil {
		return err
	}
	found, err := results.Query()
	if err != nil {
		return err
	}
	metrics := map[string][]signal.Metric{}
	s.Limits, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (signal.Limits, error) {
		var run, text string
		var stored change.Change
		var set signal.Limits // by a person, since
		err := row.Scan(&run, &text, &set)
		if err == nil {
			err = json.Unmarshal([]byte(text), &stored)
		}
		metrics[run] = stored.Metrics
		return stored.Throttle.With(set), err
	})
	s.Metrics = signal.Together(metrics)
	return err
}

// Regulate writes what comes after a standing, unless somebody else has decided meanwhile, and tells whether it did. What runs
// have taken ahead of time keeps its length in seconds.
func (l *Ledger) Regulate(ctx context.Context, was Standing, next Standing) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	var decided int64
	err = conn.QueryRow(ctx, `WITH before AS MATERIALIZED (SELECT least(rate, ceiling, wal_rate) AS rate,
				least(nullif($1::float8, 0), ceiling, nullif($6::float8, 0)) AS next FROM backfill.throttle), decided AS (
			UPDATE backfill.throttle SET rate = nullif($1::float8, 0), reason = $2, law = $3, sample = $4, decided_at = clock_timestamp(),
				wal_rate = CASE WHEN wal IS NOT NULL THEN nullif($6::float8, 0) END, -- it may have been lifted meanwhile
				refilled_at = CASE WHEN least(rate, ceiling, wal_rate) IS NULL THEN clock_timestamp() ELSE refilled_at END
			WHERE decided_at IS NOT DISTINCT FROM $5 RETURNING 1
		), anew AS (
			UPDATE backfill.shares s SET tokens = coalesce(s.tokens * b.next / b.rate, 0)
			FROM before b, decided WHERE b.rate IS DISTINCT FROM b.next AND s.asked_at > clock_timestamp() - interval '10 s' -- others begin with none
		)
		SELECT count(*) FROM decided`, next.Rate, next.Reason, next.Law, next.Sample, was.decided, next.WALRate).Scan(&decided)
	if err != nil {
		return false, fmt.Errorf("write the rate of the database: %w", postgres.Classify(err))
	}
	return decided == 1, nil
}
