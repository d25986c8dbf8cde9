package planner_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/planner"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// errand is the call that begins an execution for a run that is there.
func errand(action string) planner.Call {
	return planner.Call{Step: "begin", Request: json.RawMessage(`{"action":"` + action + `","run":"` + runtest.ID + `"}`),
		Execution: runtest.Later, Name: "later"}
}

// follow has another run follow on the table, with its definition: ended in that state, with so many rows written.
func (b *bundle) follow(t *testing.T, definition, state string, written int) {
	t.Helper()
	call := startOf("run-2", definition)
	call.Execution = "arn:second"
	_, err := b.planner.Handle(t.Context(), call)
	must(t, err)
	b.Exec(t, "UPDATE backfill.runs SET state = $1, ended_at = now() WHERE run = 'run-2'", state)
	b.Exec(t, "INSERT INTO backfill.ledger (run, chunk, hi, state, affected) VALUES ('run-2', 1, '{9}', 'COMPLETED', $1)", written)
	b.Queue.Take()
}

// TestANewerRunStandsInTheWayOfAnOlderOne that would go on, forward: whatever the newer one ended as. Nothing is changed.
func TestANewerRunStandsInTheWayOfAnOlderOne(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"resume", "retry"} {
		for _, state := range []string{"COMPLETED", "FAILED"} {
			t.Run(action+", "+state, func(t *testing.T) {
				t.Parallel()
				b := setup(t, 1050, 6)
				b.begin(t)
				b.ends(t)
				b.follow(t, strings.Replace(increment, "n + 1", "0", 1), state, 7)
				before := b.Record(t).Status
				_, err := b.planner.Handle(t.Context(), errand(action))
				if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "run run-2 is newer and wrote 7 rows of column n") ||
					!strings.Contains(err.Error(), "backfill rollback run-2") {
					t.Fatal(err)
				}
				b.Expect(t, before.State, before.Reason)
				b.Exec(t, "UPDATE backfill.runs SET state = 'ROLLED_BACK' WHERE run = 'run-2'")
				b.goesOn(t, action)
			})
		}
	}
}

// goesOn demands that the run is brought back.
func (b *bundle) goesOn(t *testing.T, action string) {
	t.Helper()
	got, err := b.planner.Handle(t.Context(), errand(action))
	must(t, err)
	if got.Next != turn.Beat || got.State.Ended() {
		t.Fatalf("%+v", got)
	}
}

// TestANewerCopyStandsInTheWayOfAnOlderRunOnItsTarget: rows that it filled, or updated, have newer values in the column. One that reads the table does not.
func TestANewerCopyStandsInTheWayOfAnOlderRunOnItsTarget(t *testing.T) {
	t.Parallel()
	for below, refused := range map[string]bool{"table: old\ncopy: {into: counters}\n": true, "table: old\ncopy: {into: counters, on_conflict: update}\n": true,
		"table: counters\ncopy: {into: old}\n": false} {
		t.Run(below, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 1050, 6)
			b.DB.Exec(t, "CREATE TABLE old (LIKE counters INCLUDING ALL); ANALYZE old")
			b.begin(t)
			b.ends(t)
			b.follow(t, "name: fill\n"+below, "COMPLETED", 7)
			_, err := b.planner.Handle(t.Context(), errand("resume"))
			if refused != failure.Is(err, failure.Invalid) || refused && !strings.Contains(err.Error(), "run run-2 is newer and wrote 7 rows of column n") {
				t.Fatal(err)
			}
		})
	}
}

// TestANewerRunThatStandsInNobodysWay: it wrote nothing, or another column; or the execution has the run already.
func TestANewerRunThatStandsInNobodysWay(t *testing.T) {
	t.Parallel()
	for name, follow := range map[string]func(t *testing.T, b *bundle){
		"it wrote nothing": func(t *testing.T, b *bundle) { b.follow(t, increment, "FAILED", 0) },
		"it wrote another column": func(t *testing.T, b *bundle) {
			b.follow(t, strings.Replace(increment, "{n: n + 1}", "{m: n}", 1), "COMPLETED", 7)
		},
		"it follows on a run that was brought back": func(t *testing.T, b *bundle) {
			b.goesOn(t, "resume")
			b.ends(t)
			b.follow(t, increment, "COMPLETED", 7)
			got, err := b.planner.Handle(t.Context(), errand("resume")) // once more, since its answer was lost
			must(t, err)
			if got.Next != turn.End {
				t.Fatalf("%+v", got)
			}
			b.Exec(t, "DELETE FROM backfill.ledger WHERE run = 'run-2'")
			b.Exec(t, "UPDATE backfill.runs SET execution = 'arn:third' WHERE run = $1", runtest.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 1050, 6)
			b.DB.Exec(t, "ALTER TABLE counters ADD COLUMN m int")
			b.begin(t)
			b.ends(t)
			follow(t, b)
			b.goesOn(t, "resume")
		})
	}
}
