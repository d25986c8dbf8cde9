package planner_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// certain is a change whose rows are verified by value.
const certain = "name: a\ntable: counters\nset: {n: id * 2}\nchunk_rows: 100\n"

// done is a run of that definition that is COMPLETED: every chunk that was planned is.
func (b *bundle) done(t *testing.T, definition string) {
	t.Helper()
	call := startOf(runtest.ID, definition)
	_, err := b.planner.Handle(t.Context(), call)
	must(t, err)
	for _, message := range b.Queue.Take() {
		b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, lo, hi, "position", state, fence, send, sent) VALUES ($1, $2, $3, $4, $4, 'COMPLETED', 1, 1, 1)`,
			message.Run, message.Chunk, message.Lo, message.Hi)
	}
	b.Exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = now()")
	must(t, b.Records.SetState(t.Context(), runtest.ID, run.Completed, ""))
}

// TestARunIsVerified: the planner opens its chunks and the governor goes on. A step that is repeated opens nothing again.
func TestARunIsVerified(t *testing.T) {
	t.Parallel()
	for definition, open := range map[string]int64{certain: 6, increment: 0} {
		b := setup(t, 1050, 6)
		b.done(t, definition)
		for range 2 {
			got, err := b.planner.Handle(t.Context(), errand("verify"))
			must(t, err)
			if got.Next != turn.Beat || got.State != run.Verifying {
				t.Fatalf("%+v", got)
			}
		}
		b.Expect(t, run.Verifying, "")
		if status := b.Record(t).Status; status.Action != "verify" {
			t.Fatalf("%+v", status)
		}
		if n := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PENDING' AND direction = 'verify'"); n != open {
			t.Errorf("%d chunks are open, want %d", n, open)
		}
		if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE mends"); n != min(open, 1) {
			t.Errorf("%d runs mend", n)
		}
	}
}

func TestAVerificationOnlyCountsWhereThatIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.done(t, certain)
	call := errand("verify")
	call.Request = json.RawMessage(`{"action":"verify","run":"` + runtest.ID + `","write":false}`)
	_, err := b.planner.Handle(t.Context(), call)
	must(t, err)
	if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE mends"); n != 0 {
		t.Error("rows would be written")
	}
}

// TestANewerRunStandsInTheWayOfAVerification: what it wrote is right, and would be written over.
func TestANewerRunStandsInTheWayOfAVerification(t *testing.T) {
	t.Parallel()
	b := setup(t, 1050, 6)
	b.done(t, certain)
	b.follow(t, strings.Replace(certain, "id * 2", "id * 3", 1), "COMPLETED", 7)
	before := b.Record(t).Status
	_, err := b.planner.Handle(t.Context(), errand("verify"))
	if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "run run-2 is newer and wrote 7 rows of column n") {
		t.Fatal(err)
	}
	b.Expect(t, before.State, before.Reason)
	b.Exec(t, "UPDATE backfill.runs SET state = 'ROLLED_BACK' WHERE run = 'run-2'")
	if _, err := b.planner.Handle(t.Context(), errand("verify")); err != nil {
		t.Fatal(err)
	}
}
