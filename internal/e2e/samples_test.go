package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// sample is how a database stood at a moment of its own clock.
type sample struct {
	At      float64
	Slots   int64 // chunks with a lease that lives, of all runs
	Active  int64 // workers whose statement goes on
	Open    int64 // connections of all functions
	Scanned float64
}

// samples are taken while runs go on.
type samples struct {
	mutex sync.Mutex
	taken []sample
}

// sampled looks at the runs of a crowd by a connection of its own, until the test ends.
func (c *crowd) sampled(t *testing.T) *samples {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.url)
	must(t, err)
	s, ended := &samples{}, make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		for ticker := time.NewTicker(100 * time.Millisecond); ctx.Err() == nil; <-ticker.C {
			if err := s.take(ctx, conn, c.like()); err != nil && ctx.Err() == nil {
				t.Errorf("sample: %v", err)
				return
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = conn.Close(context.Background())
	})
	return s
}

func (s *samples) take(ctx context.Context, conn *pgx.Conn, like string) error {
	rows, err := conn.Query(ctx, `SELECT extract(epoch FROM clock_timestamp())::float8, (SELECT count(*) FROM backfill.ledger WHERE state = 'PROCESSING' AND lease_until > clock_timestamp()),
		(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backfill worker' AND state = 'active' AND query LIKE '%UPDATE%' AND datname = current_database()),
		(SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'backfill %' AND datname = current_database()),
		(SELECT coalesce(sum(scanned), 0)::float8 FROM backfill.ledger WHERE run LIKE $1)`, like)
	if err != nil {
		return err
	}
	one, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[sample])
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.taken = append(s.taken, one)
	return nil
}

// ahead is how many seconds' worth of a rate may be committed at once: what is reserved ahead of time, and what each share holds.
const ahead = 4

// expectLimits demands that neither the slots of the database nor its rate were ever exceeded, and that both were used up: they were the limit.
func (s *samples) expectLimits(t *testing.T) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var most sample
	for _, one := range s.taken {
		most = sample{Slots: max(most.Slots, one.Slots), Active: max(most.Active, one.Active), Open: max(most.Open, one.Open)}
	}
	fastest := s.fastest(t)
	t.Logf("%d samples: at most %d slots taken, %d workers at a statement, %d connections, %.0f rows/s over 10 s", len(s.taken), most.Slots, most.Active, most.Open, fastest)
	if most.Slots != crowdSlots || most.Active > crowdSlots {
		t.Errorf("%d slots were taken, %d workers at a statement, want %d", most.Slots, most.Active, crowdSlots)
	}
	if fastest < 0.7*crowdRate {
		t.Errorf("%.0f rows/s: the limit of %d was none", fastest, crowdRate)
	}
}

// fastest is the most rows/s of any ten seconds; no time may have more than its own worth and what may be ahead.
func (s *samples) fastest(t *testing.T) (rate float64) {
	t.Helper()
	for i, from := range s.taken {
		for _, to := range s.taken[i+1:] {
			rows, seconds := to.Scanned-from.Scanned, to.At-from.At
			if rows > crowdRate*(seconds+ahead) {
				t.Errorf("%.0f rows in %.1f s with a limit of %d rows/s", rows, seconds, crowdRate)
				return rate
			}
			if seconds > 10 {
				rate = max(rate, rows/seconds)
			}
		}
	}
	return rate
}
