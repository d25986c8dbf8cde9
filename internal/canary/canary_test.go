package canary_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/pausing"
	"backfill/internal/pgtest"
	"backfill/internal/rebuild"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

const (
	rows = 4000
	// counters holds n = id, so n shows how often a row was changed.
	counters = `CREATE TABLE counters (id bigint PRIMARY KEY, n int NOT NULL, twice int, CONSTRAINT small CHECK (n < 1000000)) WITH (autovacuum_enabled = off);
		INSERT INTO counters SELECT g, g FROM generate_series(1, 4000) g; ANALYZE counters`
	increment = "name: increment\ntable: counters\nset: {n: n + 1}\nchunk_rows: 100\n"
	double    = "name: double\ntable: counters\nset: {twice: n * 2}\nchunk_rows: 100\n"
)

// bundle is a table of counters, and the line of a run with a canary over it.
type bundle struct {
	*runtest.Bench
	line   *runtest.Line
	pauser *pausing.Pauser
}

func setup(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	db.Exec(t, counters)
	b := &bundle{Bench: runtest.On(t, db)}
	b.line, b.pauser = b.Line(t), pausing.New(b.Ledger, b.Records)
	return b
}

// start starts a run with a canary, and demands that it waits for an approval.
func (b *bundle) start(t *testing.T, definition, share string) run.Status {
	t.Helper()
	return b.waits(t, b.line.Run(t, b.request(t, definition, share), runtest.Execution))
}

func (b *bundle) request(t *testing.T, definition, share string) json.RawMessage {
	t.Helper()
	input, err := json.Marshal(map[string]any{"action": "start", "run": runtest.ID, "definition": definition, "canary": share})
	must(t, err)
	return input
}

func (b *bundle) waits(t *testing.T, got turn.Turn) run.Status {
	t.Helper()
	status := b.Record(t).Status
	if got.Next != turn.Pause || status.State != run.Paused || status.Pause == nil || status.Pause.For != run.ForCanary || status.Canary == nil || status.Canary.Forecast == nil {
		t.Fatalf("%+v, %+v", got, status)
	}
	return status
}

// goOn has the run watched until it ends, or pauses.
func (b *bundle) goOn(t *testing.T) turn.Turn {
	t.Helper()
	return b.line.Watch(t, turn.Turn{Run: runtest.ID, Next: turn.Beat})
}

func (b *bundle) approve(t *testing.T) turn.Turn {
	t.Helper()
	_, err := b.pauser.Approve(t.Context(), runtest.ID, "ann")
	must(t, err)
	return b.goOn(t)
}

// expectChanged demands how many rows were changed, each of them once.
func (b *bundle) expectChanged(t *testing.T, want int64) {
	t.Helper()
	if got := b.Number(t, "SELECT count(*) FROM counters WHERE n = id + 1"); got != want || b.Number(t, "SELECT count(*) FROM counters WHERE n NOT IN (id, id + 1)") > 0 {
		t.Errorf("%d rows were changed once, want %d", got, want)
	}
}

func (b *bundle) expectEnd(t *testing.T, got turn.Turn, state run.State) {
	t.Helper()
	if got.Next != turn.End || got.State != state {
		t.Fatalf("%+v; want %s", got, state)
	}
}

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

// TestACanaryIsVerifiedByValue where the kind can be: a row that somebody changes after it was written is found, and left alone.
func TestACanaryIsVerifiedByValue(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.Exec(t, `CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.twice := CASE WHEN NEW.id % 50 = 0 THEN -1 ELSE NEW.twice END; RETURN NEW; END $$;
		CREATE TRIGGER meddle BEFORE UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION meddle()`)
	status := b.start(t, double, "10%")
	f := status.Canary.Forecast
	if f.Verified == nil || *f.Verified != (run.Checked{Rows: 400, Deviating: 8}) || !strings.Contains(status.Reason, "8 of 400 do NOT hold what they should") {
		t.Fatalf("%+v, %q", f.Verified, status.Reason)
	}
	if b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE direction <> 'forward' OR digest IS NOT NULL OR looked > 0 OR mended > 0") > 0 ||
		b.Number(t, "SELECT count(*) FROM counters WHERE twice = -1") != 8 {
		t.Error("the verification left something behind")
	}
	b.Exec(t, "DROP TRIGGER meddle ON counters")
	b.expectEnd(t, b.approve(t), run.Completed)
	if got := b.Number(t, "SELECT count(*) FROM counters WHERE twice = 2 * n"); got != rows-8 {
		t.Errorf("%d rows hold what they should", got)
	}
}

// TestACanaryIsTakenBack: after it is cancelled, nothing of it is left.
func TestACanaryIsTakenBack(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		b.start(t, increment, "10%")
		_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "no")
		must(t, err)
		b.expectEnd(t, b.goOn(t), run.Cancelled)
		b.expectEnd(t, b.line.Run(t, json.RawMessage(`{"action":"rollback","run":"run-1"}`), runtest.Later), run.RolledBack)
		b.expectChanged(t, 0)
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

// TestAPauseIsNoApproval: who pauses and resumes the run while its canary works does not let the rest go, nor does a resume while it waits.
func TestAPauseIsNoApproval(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, increment, "10%")
	b.Exec(t, "UPDATE backfill.runs SET state = 'RUNNING', paused_for = ''")
	_, err := b.pauser.Pause(t.Context(), runtest.ID, "ann", "a release")
	must(t, err)
	if err := b.pauser.MayApprove(t.Context(), runtest.ID); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "its canary has not come to its end") {
		t.Errorf("%v", err)
	}
	if state, err := b.pauser.Approve(t.Context(), runtest.ID, "ann"); state != run.Paused || err != nil {
		t.Errorf("%s, %v", state, err)
	}
	_, err = b.pauser.Resume(t.Context(), runtest.ID, "ann")
	must(t, err)
	b.waits(t, b.goOn(t))
	b.expectChanged(t, 400)
	if err := b.pauser.MayResume(t.Context(), runtest.ID); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "backfill approve run-1") {
		t.Errorf("%v", err)
	}
	if state, err := b.pauser.Resume(t.Context(), runtest.ID, "ann"); state != run.Paused || err != nil {
		t.Errorf("%s, %v", state, err)
	}
	state, err := b.pauser.Pause(t.Context(), runtest.ID, "bob", "another release")
	must(t, err)
	if status := b.Record(t).Status; state != run.Paused || status.Pause.For != run.ForCanary {
		t.Errorf("%+v", status.Pause)
	}
	b.expectEnd(t, b.approve(t), run.Completed)
	b.expectChanged(t, rows)
	if err := b.pauser.MayApprove(t.Context(), runtest.ID); !failure.Is(err, failure.Invalid) {
		t.Errorf("an approval of a run that has ended: %v", err)
	}
}

// TestARunThatWaitedIsResumed: cancelled and brought back, it waits again.
func TestARunThatWaitedIsResumed(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, double, "10%")
	_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "no")
	must(t, err)
	b.expectEnd(t, b.goOn(t), run.Cancelled)
	status := b.waits(t, b.line.Run(t, json.RawMessage(`{"action":"resume","run":"run-1"}`), runtest.Later))
	if f := status.Canary.Forecast; f.Verified == nil || f.Verified.Rows != 400 || f.Chunks != 4 {
		t.Errorf("%+v", f)
	}
	b.expectEnd(t, b.approve(t), run.Completed)
}

// TestACanaryThatFails ends the run as its definition has it; with on_failure: continue it waits, and says so.
func TestACanaryThatFails(t *testing.T) {
	t.Parallel()
	for way, state := range map[string]run.State{"stop": run.Failed, "pause": run.Paused, "continue": run.Paused} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			b.Exec(t, "UPDATE counters SET n = 999999 WHERE id = 1050")
			got := b.line.Run(t, b.request(t, increment+"on_failure: "+way+"\n", "10%"), runtest.Execution)
			status := b.Record(t).Status
			if got.State != state || status.Chunks.Failed != 1 || b.Number(t, "SELECT count(*) FROM counters WHERE n = id + 1 AND id NOT BETWEEN 1 AND 3100") > 0 {
				t.Fatalf("%+v, %+v", got, status.Chunks)
			}
			if way == "stop" {
				return
			}
			if way == "continue" && (status.Pause.For != run.ForCanary || !strings.Contains(status.Reason, "1 chunk FAILED")) || way == "pause" && status.Pause.For != run.ForFailure {
				t.Fatalf("%+v, %q", status.Pause, status.Reason)
			}
			b.Exec(t, "UPDATE counters SET n = 1050 WHERE id = 1050")
			if way == "pause" {
				_, err := b.pauser.Resume(t.Context(), runtest.ID, "ann")
				must(t, err)
				b.waits(t, b.goOn(t))
				b.expectChanged(t, 400)
			}
			b.expectEnd(t, b.approve(t), run.Completed)
			b.expectChanged(t, rows)
		})
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

// TestEveryKindHasACanary: what it deletes, copies, moves or computes is of the chunks of the canary, and all of that is taken back.
func TestEveryKindHasACanary(t *testing.T) {
	t.Parallel()
	const into = "copy: {into: copied, columns: {id: id, n: n}"
	for name, c := range map[string]struct{ change, left, there string }{
		"delete": {"delete: true\nwhere: n > 0\n", "SELECT count(*) FROM counters", "SELECT 3600"},
		"copy":   {into + "}\n", "SELECT count(*) FROM copied", "SELECT 400"},
		"move":   {into + ", move: true}\n", "SELECT count(*) FROM copied WHERE NOT EXISTS (SELECT FROM counters c WHERE c.id = copied.id)", "SELECT 400"},
		"join":   {"from: {s: steps}\njoin: s.id = counters.id\nset: {n: counters.n + s.by}\n", "SELECT count(*) FROM counters WHERE n <> id", "SELECT 400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			b.DB.Exec(t, `CREATE TABLE copied (id bigint PRIMARY KEY, n int, twice int); CREATE TABLE steps AS SELECT id, 1 AS by FROM counters; ALTER TABLE steps ADD PRIMARY KEY (id);
				ANALYZE; CREATE TABLE was AS TABLE counters`)
			f := b.start(t, "name: kind\ntable: counters\nchunk_rows: 100\n"+c.change, "10%").Canary.Forecast
			if got, want := b.Number(t, c.left), b.Number(t, c.there); got != want || f.Written != 400 || f.Rows == nil || f.Rows.Value != 3600 || f.WAL == nil || f.Growth == nil {
				t.Errorf("%d rows, want %d; %+v", got, want, f)
			}
			_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Cancelled, "no")
			must(t, err)
			b.expectEnd(t, b.goOn(t), run.Cancelled)
			b.expectEnd(t, b.line.Run(t, json.RawMessage(`{"action":"rollback","run":"run-1"}`), runtest.Later), run.RolledBack)
			if n := b.Number(t, "SELECT (SELECT count(*) FROM copied) + (SELECT count(*) FROM ((TABLE counters EXCEPT TABLE was) UNION ALL (TABLE was EXCEPT TABLE counters)) d)"); n != 0 {
				t.Errorf("%d rows are not as they were", n)
			}
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

// TestAWindowIsNoApproval: a run whose window shuts and opens while its canary works waits for the approval all the same.
func TestAWindowIsNoApproval(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t))
	b.start(t, increment, "10%")
	b.Exec(t, "UPDATE backfill.runs SET state = 'PAUSED', paused_for = 'window', paused_until = clock_timestamp() - interval '1 s'")
	b.waits(t, b.goOn(t))
	b.expectChanged(t, 400)
	b.expectEnd(t, b.approve(t), run.Completed)
	b.expectChanged(t, rows)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
