package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
)

// undone is a run of three chunks, all finished, of which the first two keep undo.
func undone(t *testing.T, b *bundle) {
	t.Helper()
	b.finish(t, message(1, "", "100", 1))
	b.finish(t, message(2, "100", "200", 1))
	b.finish(t, message(3, "200", "300", 1))
	b.exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) SELECT $1, n, 0, 0, 1, '' FROM generate_series(1, 2) n", theRun)
	b.end(t, run.Completed)
}

func (b *bundle) number(t *testing.T, sql string, args ...any) (n int64) {
	t.Helper()
	must(t, b.conn.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func (b *bundle) end(t *testing.T, as run.State) {
	t.Helper()
	b.exec(t, "UPDATE backfill.runs SET state = $1, ended_at = clock_timestamp()", as)
}

func TestARollbackClosesChunksByTheirFence(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db)
		zombie := b.claim(t, message(1, "", "100", 1), "zombie", ledger.Claimed)
		b.exec(t, "UPDATE backfill.ledger SET state = 'PENDING'") // as Finish does with a lease that ran out
		b.exec(t, "INSERT INTO backfill.undo (run, chunk, seq, part, rows, marks) VALUES ($1, 1, 0, 0, 1, '')", theRun)
		b.exec(t, "INSERT INTO backfill.stripes (run, chunk, part, rows) VALUES ($1, 1, 0, 1)", theRun)
		b.end(t, run.Cancelled)
		r, err := b.ledger.Reverse(t.Context(), theRun, "arn:rollback", nil)
		must(t, err)
		if r.State != run.RollingBack || r.Action != "rollback" || r.Execution != "arn:rollback" {
			t.Fatalf("%+v", r)
		}
		if err := b.advance(zombie, next); !failure.Is(err, failure.LeaseLost) {
			t.Fatalf("a worker of before wrote after the rollback had begun: %v", err)
		}
		if n := b.number(t, "SELECT count(*) FROM backfill.stripes"); n != 0 {
			t.Fatalf("%d stripes are left of the way forward", n)
		}
		stale := b.claim(t, message(1, "", "100", 1), "late", ledger.Spent)
		if claim := b.claim(t, message(1, "", "100", 2), "back", ledger.Claimed); !claim.Back || claim.Fence <= stale.Fence {
			t.Fatalf("%+v", claim)
		}
		b.claim(t, message(2, "100", "200", 1), "late", ledger.Closed) // a chunk that nobody had claimed before
		again, err := b.ledger.Reverse(t.Context(), theRun, "arn:rollback", nil)
		must(t, err)
		if again.State != run.RollingBack || b.number(t, "SELECT fence FROM backfill.ledger") != 3 {
			t.Fatalf("the same rollback again changed something: %+v", again)
		}
	})
}

func TestAPartialRollbackLeavesTheRunAsItWas(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	undone(t, b)
	_, err := b.ledger.Reverse(t.Context(), theRun, "arn:1", []int64{2, 3})
	must(t, err)
	b.expectRestored(t, false, run.RollingBack)
	claim := b.claim(t, message(2, "100", "200", 2), "me", ledger.Claimed)
	must(t, b.advance(claim, ledger.Step{Done: true}))
	b.expectRestored(t, true, run.Completed)
	tiling, err := b.ledger.Tiling(t.Context(), theRun)
	must(t, err)
	if !tiling.Complete(3) {
		t.Fatalf("%+v", tiling)
	}
	_, err = b.ledger.Reverse(t.Context(), theRun, "arn:2", nil)
	must(t, err)
	claim = b.claim(t, message(1, "", "100", 2), "me", ledger.Claimed)
	must(t, b.advance(claim, ledger.Step{Done: true}))
	b.expectRestored(t, true, run.RolledBack)
	if _, err := b.ledger.Reverse(t.Context(), theRun, "arn:3", nil); !failure.Is(err, failure.Invalid) {
		t.Fatalf("a third rollback: %v", err)
	}
}

func (b *bundle) expectRestored(t *testing.T, want bool, as run.State) {
	t.Helper()
	r, err := b.ledger.Restored(t.Context(), theRun)
	must(t, err)
	if r.State.Ended() != want || r.State != as {
		t.Fatalf("state %s (%s), want %v, %s", r.State, r.Reason, want, as)
	}
}

func TestWhatCannotBeRolledBackIsRefused(t *testing.T) {
	b := setup(t, pgtest.Newest(t))
	refused := func(chunks []int64, class failure.Class, says string) {
		t.Helper()
		if _, err := b.ledger.Reverse(t.Context(), theRun, "arn:1", chunks); !failure.Is(err, class) || err.Error() != says {
			t.Errorf("got %v, want %s: %s", err, class, says)
		}
	}
	refused(nil, failure.Invalid, "run run-1 is PLANNING: it goes on: cancel it first, and roll it back when it has ended")
	for _, c := range []struct {
		state run.State
		meant run.For
		says  string
	}{
		{run.Cancelling, "", "it is ending; roll it back when it has ended"},
		{run.Paused, run.ForRun, "it has not ended, only paused: cancel it first, and roll it back when it has ended"},
		{run.Pausing, run.ForCanary, "its canary is done, and waits for an approval: give `backfill rollback run-1` once more, which ends it first, or cancel it first, and roll it back when it has ended"},
		{run.Paused, run.ForCanary, "its canary is done, and waits for an approval: give `backfill rollback run-1` once more, which ends it first, or cancel it first, and roll it back when it has ended"},
	} {
		b.exec(t, "UPDATE backfill.runs SET state = $1, paused_for = $2 WHERE run = $3", c.state, c.meant, theRun)
		refused(nil, failure.Invalid, fmt.Sprintf("run run-1 is %s: %s", c.state, c.says))
	}
	b.exec(t, "UPDATE backfill.runs SET state = 'PLANNING', paused_for = '' WHERE run = $1", theRun)
	undone(t, b)
	refused([]int64{1, 9}, failure.Invalid, "run run-1 has no chunk 9, or no worker ever claimed it")
	many := make([]int64, 2003)
	for i := range many {
		many[i] = int64(i) + 1
	}
	refused(many, failure.Invalid, "run run-1 has no chunk 4, 5, 6, 7, 8 and 1,995 more, or no worker ever claimed it")
	_, err := b.ledger.Open(t.Context(), describe("run-2", "users"))
	must(t, err)
	refused(nil, failure.Busy, "run run-2 holds table public.users; wait for its end, or `backfill cancel run-2`")
	b.exec(t, "UPDATE backfill.runs SET state = 'FAILED', ended_at = clock_timestamp() WHERE run = 'run-2'")
	_, err = b.ledger.Sweep(t.Context(), 0, tellNobody)
	must(t, err)
	refused(nil, failure.Invalid, "run run-1 has no undo any more: it was kept for as long as the stack says (UndoRetentionDays)")
	// A rollback that was cancelled: it would end as if it had restored what it no longer finds.
	b.exec(t, "UPDATE backfill.runs SET state = 'CANCELLED', action = 'rollback' WHERE run = $1", theRun)
	if _, err := b.ledger.Revive(t.Context(), theRun, "arn:1"); !failure.Is(err, failure.Invalid) {
		t.Errorf("a rollback goes on without undo: %v", err)
	}
	if _, err := b.ledger.Reverse(t.Context(), "nobody", "arn:1", nil); !failure.Is(err, failure.Invalid) || err.Error() != "run nobody: no such run in this database" {
		t.Fatalf("an unknown run: %v", err)
	}
}

func TestRevive(t *testing.T) {
	for name, c := range map[string]struct {
		state  run.State
		action string
		stale  bool
		want   run.State // "" is refused
	}{
		"cancelled":                     {run.Cancelled, "start", false, run.Running},
		"failed":                        {run.Failed, "start", false, run.Running},
		"a rollback that was cancelled": {run.Cancelled, "rollback", false, run.RollingBack},
		"a rollback that failed":        {run.Failed, "rollback", false, run.RollingBack},
		"one that lost its execution":   {run.Running, "start", true, run.Running},
		"planning without an execution": {run.Planning, "start", true, run.Planning},
		"a rollback without execution":  {run.RollingBack, "rollback", true, run.RollingBack},
		"one that goes on":              {run.Running, "start", false, ""},
		"a rollback that goes on":       {run.RollingBack, "rollback", false, ""},
		"one that is ending":            {run.Cancelling, "start", true, ""},
		"completed":                     {run.Completed, "start", false, ""},
		"rolled back":                   {run.RolledBack, "rollback", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, pgtest.Newest(t))
			b.exec(t, "UPDATE backfill.runs SET action = $1, heartbeat = clock_timestamp() - $2::interval", c.action, map[bool]time.Duration{true: 2 * time.Hour}[c.stale])
			b.exec(t, "INSERT INTO backfill.ledger (run, chunk, hi, state, direction, send, sent) SELECT $1, 1, '{1}', 'FAILED', CASE $2 WHEN 'rollback' THEN 'back' ELSE 'forward' END, 1, 5", theRun, c.action)
			b.end(t, c.state)
			r, err := b.ledger.Revive(t.Context(), theRun, "arn:2")
			if c.want == "" {
				if !failure.Is(err, failure.Invalid) {
					t.Fatalf("got %v", err)
				}
				return
			}
			must(t, err)
			if r.State != c.want || r.Execution != "arn:2" || r.ResumedAt.IsZero() {
				t.Fatalf("%+v", r)
			}
			b.expectDue(t, 10, 1)
		})
	}
}
