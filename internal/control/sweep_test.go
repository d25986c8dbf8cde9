package control_test

import (
	"testing"
	"time"

	"backfill/internal/run"
	"backfill/internal/runtest"
)

// TestASweepIsSeenInTheStatus: nothing is kept any more, and the run cannot be rolled back. A run whose record was over is
// swept as well.
func TestASweepIsSeenInTheStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1, 2, 3)
	b.Exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) VALUES ('run-1', 1, 0, 0, 1, ''), ('forgotten', 1, 0, 0, 1, '')")
	b.Exec(t, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, state, ended_at)
		VALUES ('forgotten', 'orders', 'arn:2', 'public.orders', '', '{}', 'COMPLETED', now())`)
	_, err := b.Ledger.Move(t.Context(), runtest.ID, run.Running, run.Completed)
	must(t, err)
	status := b.Record(t).Status
	status.Undo.Bytes = 70
	must(t, b.Records.SaveProgress(t.Context(), status, 7))
	b.control.UndoRetention = time.Hour
	if answer := b.answer(t, `{"action":"sweep"}`); answer != `{"runs":0,"undo_rows":0,"more":false}` || b.Record(t).Status.Undo != (run.Undo{Bytes: 70}) {
		t.Fatal(answer, b.Record(t).Status.Undo)
	}
	b.control.UndoRetention = 0
	if answer := b.answer(t, `{"action":"sweep"}`); answer != `{"runs":2,"undo_rows":2,"more":false}` {
		t.Fatal(answer)
	}
	undo := b.Record(t).Status.Undo
	if undo.Bytes != 0 || undo.SweptAt == nil || b.Number(t, "SELECT count(*) FROM backfill.runs WHERE undo_swept_at = $1", undo.SweptAt) != 1 {
		t.Fatalf("%+v", undo)
	}
}
