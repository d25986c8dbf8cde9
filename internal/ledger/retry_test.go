package ledger_test

import (
	"testing"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// ended is how a run has ended, and whether it can be tried again.
type ended struct {
	state          run.State
	action         string
	rejects, taken bool // it has rejected rows; their chunk is rolled back
	want           bool
}

// retriable is a run of two chunks that are done, the first with rejected rows.
func retriable(t *testing.T, c ended) *bundle {
	t.Helper()
	b := setup(t, pgtest.Newest(t))
	b.exec(t, "UPDATE backfill.runs SET action = $1", c.action)
	b.exec(t, `INSERT INTO backfill.ledger (run, chunk, hi, "position", state, direction, send, sent, rejected) VALUES
		($1, 1, '{100}', '{100}', CASE WHEN $2 THEN 'ROLLED_BACK' ELSE 'COMPLETED' END, CASE WHEN $2 THEN 'back' ELSE 'forward' END, 1, 5, 2),
		($1, 2, '{200}', '{200}', 'COMPLETED', 'forward', 1, 5, 0)`, theRun, c.taken)
	if c.rejects {
		b.exec(t, "INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) VALUES ($1, 1, '{7}', '23514', 'no'), ($1, 1, '{8}', '23514', 'no')", theRun)
	}
	b.end(t, c.state)
	return b
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]ended{
		"completed, with rejected rows":           {run.Completed, "start", true, false, true},
		"completed, without":                      {run.Completed, "start", false, false, false},
		"completed, what is rejected rolled back": {run.Completed, "start", true, true, false},
		"failed":                        {run.Failed, "start", true, false, true},
		"failed, without rejected rows": {run.Failed, "start", false, false, true},
		"cancelled":                     {run.Cancelled, "start", true, false, true},
		"one that goes on":              {run.Running, "start", true, false, false},
		"one that is ending":            {run.Cancelling, "start", true, false, false},
		"one that is paused":            {run.Paused, "start", true, false, false},
		"rolled back":                   {run.RolledBack, "rollback", true, true, false},
		"a rollback that failed":        {run.Failed, "rollback", true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := retriable(t, c)
			_, err := b.ledger.Retry(t.Context(), theRun, "arn:2")
			due := b.number(t, "SELECT count(*) FROM backfill.rejects WHERE due")
			if !c.want {
				if !failure.Is(err, failure.Invalid) || due != 0 {
					t.Fatalf("got %v, %d rows are due", err, due)
				}
				return
			}
			must(t, err)
			wanted := int64(0)
			if c.rejects {
				wanted = 1
			}
			if open := b.number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PENDING'"); open != wanted || due != 2*wanted {
				t.Fatalf("%d chunks are open, %d rows are due", open, due)
			}
			r, err := b.ledger.Run(t.Context(), theRun)
			must(t, err)
			if r.State != run.Running || r.Execution != "arn:2" || r.ResumedAt.IsZero() {
				t.Fatalf("%+v", r)
			}
		})
	}
}

// TestARetryThatIsRepeatedChangesNothing, also where the run has ended meanwhile.
func TestARetryThatIsRepeatedChangesNothing(t *testing.T) {
	t.Parallel()
	b := retriable(t, ended{run.Completed, "start", true, false, true})
	_, err := b.ledger.Retry(t.Context(), theRun, "arn:2")
	must(t, err)
	_, again, err := b.ledger.Beat(t.Context(), theRun, 10)
	must(t, err)
	if len(again) != 1 || again[0].Chunk != 1 || again[0].Send != 2 {
		t.Fatalf("due: %+v", again)
	}
	claim := b.claim(t, message(1, "", "100", 6), "me", ledger.Claimed)
	if !claim.Due || claim.Position[0] != "100" {
		t.Fatalf("%+v", claim)
	}
	b.exec(t, "UPDATE backfill.ledger SET state = 'COMPLETED'; UPDATE backfill.rejects SET due = false")
	b.end(t, run.Completed)
	r, err := b.ledger.Retry(t.Context(), theRun, "arn:2")
	must(t, err)
	if due := b.number(t, "SELECT count(*) FROM backfill.rejects WHERE due"); r.State != run.Completed || due != 0 {
		t.Fatalf("%s, %d rows are due", r.State, due)
	}
}
