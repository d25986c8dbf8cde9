package canary_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"
	"backfill/internal/rebuild"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// TestACanaryWaitsForAnApproval, with chunks from the whole table done and no other row touched; then the rest is changed, each row once.
func TestACanaryWaitsForAnApproval(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		status := b.start(t, increment, "10%")
		b.expectChanged(t, 400)
		if got := b.Number(t, "SELECT count(*) FROM counters WHERE n = id + 1 AND (id BETWEEN 1 AND 100 OR id BETWEEN 1001 AND 1100 OR id BETWEEN 2001 AND 2100 OR id BETWEEN 3001 AND 3100)"); got != 400 {
			t.Errorf("%d rows are of chunks 1, 11, 21 and 31", got)
		}
		f := status.Canary.Forecast
		if f.Chunks != 4 || f.Keys != 400 || f.Written != 400 || f.Left != (run.Left{Chunks: 36, Keys: 3600}) || f.Rows == nil || *f.Rows != (run.Range{Value: 3600, From: 3600, To: 3600}) {
			t.Errorf("%+v", f)
		}
		if f.Verified != nil || !strings.Contains(f.Unfit, "n") || !strings.Contains(status.Reason, "canary of 10%: 4 chunks, 400 rows written; not verified by value; 36 chunks left: ") {
			t.Errorf("%q, %q", f.Unfit, status.Reason)
		}
		b.expectEnd(t, b.approve(t), run.Completed)
		b.expectChanged(t, rows)
		if c := b.Record(t).Status.Canary; c == nil || !c.Approved || c.Forecast == nil || c.Held != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestACanaryOfASmallTable has chunks near both ends and in the middle, and never more than half.
func TestACanaryOfASmallTable(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 250, 400, 800, 2000, 4000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			status := b.start(t, strings.Replace(increment, "100", fmt.Sprint(size), 1), "1%")
			chunks := (rows + size - 1) / size
			n := min(3, max(1, chunks/2))
			if f := status.Canary.Forecast; f.Chunks != int64(n) || f.Left.Chunks != int64(chunks-n) {
				t.Errorf("%+v of %d chunks", f, chunks)
			}
			if n == 3 {
				if b.Number(t, "SELECT count(*) FROM counters WHERE n > id AND id > 2800") == 0 || b.Number(t, "SELECT count(*) FROM counters WHERE n > id AND id BETWEEN 1300 AND 2700") == 0 {
					t.Error("the canary is not near the end, or not in the middle")
				}
			}
			b.expectEnd(t, b.approve(t), run.Completed)
			b.expectChanged(t, rows)
		})
	}
}

// TestWhatIsSentIsHeld: every chunk that a worker gets and that is not of the canary is noted, and not begun, whoever sent it. Messages that are lost while the run
// waits are no loss.
func TestWhatIsSentIsHeld(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, increment, "10%")
	b.Exec(t, "UPDATE backfill.runs SET state = 'RUNNING'")
	b.Exec(t, "DELETE FROM backfill.ledger WHERE chunk IN (5, 6)")
	for _, n := range []int64{5, 7} {
		var message chunk.Message
		checkpoints, err := b.Records.Chunks(t.Context(), runtest.ID, []int64{n})
		must(t, err)
		message = chunk.Chunk{Run: runtest.ID, Number: n, Range: checkpoints[0].Range}.Message(9)
		claim, err := b.Ledger.Claim(t.Context(), message, "somebody")
		must(t, err)
		if claim.Verdict != "held" {
			t.Errorf("chunk %d: %s", n, claim.Verdict)
		}
	}
	b.Exec(t, "UPDATE backfill.runs SET state = 'PAUSED'")
	b.expectChanged(t, 400)
	_, err := b.pauser.Approve(t.Context(), runtest.ID, "ann")
	must(t, err)
	b.expectEnd(t, b.goOn(t), run.Completed)
	b.expectChanged(t, rows)
}

// TestNothingToDo needs no approval: an empty table, and one in which an index says that no row matches.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]string{"no row": "TRUNCATE counters", "none in scope": `DROP TABLE counters; CREATE TABLE counters AS SELECT g::bigint AS id, g AS n, repeat('x', 300) AS note FROM generate_series(1, 20000) g;
		ALTER TABLE counters ADD PRIMARY KEY (id); CREATE INDEX ON counters (id) WHERE n < 0; ANALYZE counters`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			b.DB.Exec(t, prepare)
			b.expectEnd(t, b.line.Run(t, b.request(t, strings.Replace(increment, "100", "1000", 1)+"where: n < 0\n", "10%"), runtest.Execution), run.Completed)
		})
	}
}

// TestTheCanaryIsOfTheFirstRound of a run that follows rows that come behind its bound.
func TestTheCanaryIsOfTheFirstRound(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, strings.Replace(double, "chunk_rows", "rows: follow\nwhere: twice IS NULL\nchunk_rows", 1), "10%")
	b.Exec(t, "INSERT INTO counters SELECT g, g FROM generate_series(4001, 4300) g")
	b.expectEnd(t, b.approve(t), run.Completed)
	if n := b.Number(t, "SELECT count(*) FROM counters WHERE twice IS DISTINCT FROM n * 2"); n != 0 || b.Number(t, "SELECT round FROM backfill.runs") == 0 {
		t.Errorf("%d rows are in the old form", n)
	}
}

// TestALostRecordIsMadeAgain while the run waits, and nothing of the rest is begun by that.
func TestALostRecordIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, increment, "10%")
	_, err := rebuild.Rebuilder{Session: b.Session, Ledger: b.Ledger, Records: b.Records}.Rebuild(t.Context(), runtest.ID)
	must(t, err)
	if c := b.Record(t).Status.Canary; c == nil || c.Held != 36 || c.Forecast == nil {
		t.Errorf("%+v", c)
	}
	b.expectEnd(t, b.approve(t), run.Completed)
	b.expectChanged(t, rows)
}
