package worker_test

import (
	"math"
	"testing"
	"time"

	"backfill/internal/credentials"
	"backfill/internal/faults/cluster"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/regulator"
)

// regulate decides for the database as governors do, with a connection of its own.
func (f *fleet) regulate() {
	session := postgres.NewSession(credentials.Fixed(f.db.URL), "governor")
	r := regulator.Regulator{Session: session, Ledger: ledger.New(session, f.terms)}
	f.group.Go(func() error {
		defer session.Drop()
		beats := time.NewTicker(500 * time.Millisecond)
		defer beats.Stop()
		for {
			select {
			case <-f.ctx.Done():
				return nil
			case <-beats.C:
			}
			if _, err := r.Regulate(f.ctx, f.runs[0], 1e6); err != nil && f.ctx.Err() == nil {
				return err
			}
		}
	})
}

// passed is the clock of the database in seconds, and the WAL that it has written.
func (f *fleet) passed(t *testing.T) (at, bytes float64) {
	t.Helper()
	must(t, f.conn.QueryRow(t.Context(), "SELECT extract(epoch FROM clock_timestamp())::float8, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8").Scan(&at, &bytes))
	return at, bytes
}

// wait lets the database's clock go on.
func (f *fleet) wait(t *testing.T, seconds float64) {
	t.Helper()
	at, _ := f.passed(t)
	for now := at; now < at+seconds; now, _ = f.passed(t) {
		if f.ctx.Err() != nil {
			t.Fatal(f.ctx.Err())
		}
		must(t, f.conn.QueryRow(t.Context(), "SELECT pg_sleep(0.1)::text").Scan(nil))
	}
}

// TestTheCeilingOfWALHolds within a tenth, on a server of its own, where nobody else writes: two runs, each gone over in passes, of which the
// first writes each page as a whole, so that one quarter of a minute is above it, the next below. What is meant is the mean over minutes.
func TestTheCeilingOfWALHolds(t *testing.T) {
	t.Parallel()
	like := pgtest.Newest(t) // it takes its time; on each version it was measured once
	f := newFleet(t, cluster.New(t, like).Database(), 400_000, 8000, 0, "one", "two")
	f.exec(t, "CHECKPOINT")
	const ceiling = 1_500_000
	f.tune(t, "", ledger.Tuning{WAL: number(ceiling)})
	f.regulate()
	f.begin(t, 3)
	f.wait(t, 15) // it begins to learn what a row writes
	begun, before := f.passed(t)
	const most = 7
	for window := 1; ; window++ {
		f.wait(t, 15)
		now, written := f.passed(t)
		got := (written - before) / (now - begun)
		t.Logf("%.0f bytes/s of %d in %.0f s", got, ceiling, now-begun)
		if math.Abs(got/ceiling-1) <= 0.1 {
			break
		}
		if window == most {
			t.Fatalf("%.0f bytes/s of WAL, want %d", got, ceiling)
		}
	}
	f.tune(t, "", ledger.Tuning{WAL: number(0)})
	f.end(t)
}
