package worker_test

import (
	"fmt"
	"math"
	"testing"

	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// handled is the clock of the database in seconds, and how many rows each run has looked at by then.
func (f *fleet) handled(t *testing.T) (at float64, rows map[string]float64) {
	t.Helper()
	must(t, f.conn.QueryRow(t.Context(), `SELECT extract(epoch FROM clock_timestamp())::float8, json_object_agg(run, n)
		FROM (SELECT run, sum(scanned) AS n FROM backfill.ledger GROUP BY run) each`).Scan(&at, &rows))
	return at, rows
}

// TestThreeRunsShareARate by their weights: 5,000 rows/s of the database, weights 1, 2 and 3, six workers, and decisions as governors make
// them. What all do together is within 5 % of the rate, and the share of each within 10 % of its weight, by the clock of the database.
func TestThreeRunsShareARate(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t) // it takes its time; on each version it was measured once
	const rate = 5000
	runs := []string{"one", "two", "three"}
	f := newFleet(t, db, 200_000, 5000, 0, runs...)
	for i, id := range runs {
		f.tune(t, id, ledger.Tuning{Weight: number(int64(i) + 1)})
	}
	f.tune(t, "", ledger.Tuning{Rate: number(rate)})
	f.regulate()
	f.begin(t, 6)
	f.wait(t, 15) // who asked first was alone then, and has taken two seconds of all that there is
	begun, before := f.handled(t)
	f.wait(t, 25)
	ended, after := f.handled(t)
	sum := 0.0
	for _, id := range runs {
		sum += after[id] - before[id]
	}
	figures := fmt.Sprintf("%.0f rows/s in %.1f s", sum/(ended-begun), ended-begun)
	for i, id := range runs {
		share, want := (after[id]-before[id])/sum, float64(i+1)/6
		figures += fmt.Sprintf(", %s %.3f of %.3f", id, share, want)
		if math.Abs(share/want-1) > 0.1 {
			t.Errorf("%s has %.3f of all, want %.3f", id, share, want)
		}
	}
	if math.Abs(sum/(ended-begun)/rate-1) > 0.05 {
		t.Errorf("%.0f rows/s, want %d", sum/(ended-begun), rate)
	}
	t.Log(figures)
	f.tune(t, "", ledger.Tuning{Rate: number(0)})
	f.end(t)
}
