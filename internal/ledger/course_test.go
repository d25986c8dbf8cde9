package ledger_test

import (
	"testing"
	"time"

	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/report"
	"backfill/internal/run"
)

// marked is a run that has gone on for so long, and was marked by a governor that says why.
func (b *bundle) marked(t *testing.T, state run.State, reason string) {
	t.Helper()
	must(t, b.ledger.Mark(t.Context(), theRun, report.Point{State: state, Handled: 7, Reason: reason, Allowed: nil}))
}

const points = "SELECT count(*) FROM backfill.course"

// TestAPointIsNotedWhenItSaysSomething: another state, another reason (but for its figures), or a part of the run's time later.
func TestAPointIsNotedWhenItSaysSomething(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "UPDATE backfill.runs SET started_at = clock_timestamp() - interval '30 hours'") // a point each 6 minutes
	for _, c := range []struct {
		state  run.State
		reason string
		want   int64
	}{
		{run.Running, "at most 1,000 rows/s", 1}, {run.Running, "at most 1,000 rows/s", 1}, {run.Running, "at most 23.5 rows/s", 1},
		{run.Running, "lock_waiters 12 of 10", 2}, {run.Pausing, "lock_waiters 12 of 10", 3}, {run.Pausing, "lock_waiters 12 of 10", 3},
	} {
		b.marked(t, c.state, c.reason)
		if got := b.number(t, points); got != c.want {
			t.Fatalf("%+v: %d points", c, got)
		}
	}
	b.exec(t, "UPDATE backfill.course SET at = at - interval '5 minutes'")
	if b.marked(t, run.Pausing, "lock_waiters 12 of 10"); b.number(t, points) != 3 {
		t.Fatal("a point too soon")
	}
	b.exec(t, "UPDATE backfill.course SET at = at - interval '2 minutes'")
	if b.marked(t, run.Pausing, "lock_waiters 12 of 10"); b.number(t, points) != 4 {
		t.Fatal("no point after 7 minutes")
	}
	if must(t, b.ledger.Mark(t.Context(), "unknown", report.Point{})); b.number(t, points) != 4 {
		t.Fatal("a point of no run")
	}
}

// TestPointsStayEven: where there are as many as a report holds, one goes that lies close to its neighbours; the first and the last stay.
func TestPointsStayEven(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, `INSERT INTO backfill.course (run, at, state, handled, looked, written, done, failed, workers, reason)
		SELECT $1, clock_timestamp() - (400 - g) * interval '10 s' - CASE g WHEN 100 THEN interval '9 s' ELSE '0' END - interval '1 s', 'RUNNING', g, 0, 0, 0, 0, 0, ''
		FROM generate_series(1, $2) g`, theRun, report.MostPoints)
	b.marked(t, run.Running, "another")
	if n := b.number(t, points); n != report.MostPoints {
		t.Fatalf("%d points", n)
	}
	if gone := b.number(t, "SELECT g FROM generate_series(1, $1::int) g WHERE NOT EXISTS (SELECT FROM backfill.course WHERE handled = g AND reason = '')", report.MostPoints); gone != 99 {
		t.Fatalf("point %d is gone", gone)
	}
	for i := range 50 {
		b.marked(t, run.Running, string(rune('a'+i)))
	}
	if n := b.number(t, "SELECT count(*) FILTER (WHERE handled = 1 AND reason = '') * 1000 + count(*) FROM backfill.course"); n != 1000+report.MostPoints {
		t.Fatalf("%d", n)
	}
}

// TestTheTimeAtAChunkIsCounted: of a worker who leaves it, of one who is there, of one who died as long as it was heard of, and of none else.
func TestTheTimeAtAChunkIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.move(t, run.Planning, run.Running)
	back := func() {
		b.exec(t, "UPDATE backfill.ledger SET claimed_at = claimed_at - interval '10 s', updated_at = updated_at - interval '4 s'")
	}
	expect := func(when string, worked, longest float64) {
		t.Helper()
		facts, err := b.ledger.Report(t.Context(), theRun, 3)
		must(t, err)
		if c := facts.Cells[0]; facts.Worked < worked || facts.Worked > worked+3 || c.Longest < longest || c.Longest > longest+3 {
			t.Fatalf("%s: %v, %+v", when, facts.Worked, c)
		}
	}
	b.claim(t, message(1, "", "100", 1), "one", ledger.Claimed)
	expect("claimed", 0, 0)
	back()
	expect("at work", 10, 10)
	b.expire(t)
	expect("dead", 6, 6)
	claim := b.claim(t, message(1, "", "100", 2), "two", ledger.Claimed)
	expect("taken over", 6, 6)
	back()
	_, err := b.ledger.Release(t.Context(), claim, 0, "deadline")
	must(t, err)
	expect("given back", 16, 16)
	b.exec(t, "UPDATE backfill.ledger SET updated_at = updated_at - interval '1 hour'")
	claim = b.claim(t, message(1, "", "100", 3), "three", ledger.Claimed)
	must(t, b.advance(claim, ledger.Step{Keys: 50, Reached: []string{"50"}}))
	claim.Seq++
	back()
	must(t, b.advance(claim, ledger.Step{Keys: 50, Reached: []string{"100"}, Done: true}))
	b.exec(t, "UPDATE backfill.ledger SET updated_at = updated_at + interval '1 hour'")
	expect("done", 26, 26)
}

// TestAReportOfARunThatGoesDown has the keys of neighbours as one range, as that of a run that goes up.
func TestAReportOfARunThatGoesDown(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "UPDATE backfill.runs SET top = bound, bound = '{}'")
	b.exec(t, `INSERT INTO backfill.ledger (run, chunk, lo, hi) SELECT $1, 481 - g, CASE WHEN g > 1 THEN ARRAY[(g - 1)::text] END, ARRAY[g::text] FROM generate_series(1, 480) g`, theRun)
	f, err := b.ledger.Report(t.Context(), theRun, 481)
	must(t, err)
	if first, last := f.Cells[0], f.Cells[159]; len(f.Cells) != 161 || first.Keys != "(477, 480]" || last.Keys != "[first, 3]" || f.Cells[160].Keys != "" {
		t.Errorf("%d cells: %+v, %+v", len(f.Cells), first, last)
	}
}

// TestAReportOfManyChunksIsBounded: it has as many stretches as it may.
func TestAReportOfManyChunksIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, `INSERT INTO backfill.ledger (run, chunk, lo, hi, state, owner, retries, reason)
		SELECT $1, g, CASE WHEN g > 1 THEN ARRAY[(g - 1)::text] END, ARRAY[g::text], CASE WHEN g % 1000 = 7 THEN 'FAILED' ELSE 'COMPLETED' END, 'x', g % 3, repeat('r', 1000)
		FROM generate_series(1, 100000) g`, theRun)
	b.exec(t, "INSERT INTO backfill.changes (run, detail) SELECT $1, 'line ' || g FROM generate_series(1, 250) g", theRun)
	b.exec(t, "INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) SELECT $1, g / 10, ARRAY[g::text], CASE WHEN g < 5 THEN '23505' ELSE '22012' END, 'secret' FROM generate_series(1, 30) g", theRun)
	begun := time.Now()
	f, err := b.ledger.Report(t.Context(), theRun, 120_000)
	must(t, err)
	t.Log(time.Since(begun))
	var chunks, failed, unclaimed int64
	for i, c := range f.Cells {
		if i > 0 && c.First != f.Cells[i-1].Last+1 {
			t.Fatalf("%+v after %+v", c, f.Cells[i-1])
		}
		chunks, failed, unclaimed = chunks+c.Chunks(), failed+c.Failed, unclaimed+c.Chunks()-c.Claimed
	}
	if len(f.Cells) != report.MostCells || chunks != 120_000 || failed != 100 || unclaimed != 20_000 || f.Cells[0].Keys != "[first, 500]" || f.Cells[0].Most != 3 {
		t.Errorf("%d cells, %d chunks, %d failed, %d unclaimed, %+v", len(f.Cells), chunks, failed, unclaimed, f.Cells[0])
	}
	if f.Failures.Count != 100 || len(f.Failures.Newest) != report.MostFailures || len(f.Failures.Newest[0].Reason) != report.MostText {
		t.Errorf("%d failures, %d told", f.Failures.Count, len(f.Failures.Newest))
	}
	if lines := f.Log.Lines; f.Log.Before != 150 || len(lines) != report.MostLines || lines[0].Detail != "line 151" || lines[report.MostLines-1].Detail != "line 250" {
		t.Errorf("%d lines before, %+v", f.Log.Before, lines)
	}
	if want := (report.Rejects{SQLState: "22012", Rows: 26, Chunks: 4}); len(f.Rejects) != 2 || f.Rejects[0] != want {
		t.Errorf("%+v", f.Rejects)
	}
}
