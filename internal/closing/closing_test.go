package closing_test

import (
	"context"
	"testing"

	"backfill/internal/closing"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/google/go-cmp/cmp"
)

// bundle is a run of three chunks that are planned, and a closer.
type bundle struct {
	*runtest.Bench
	closer *closing.Closer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.New(t)}
	b.Begin(t, 3)
	b.Plan(t, 3)
	b.closer = closing.New(b.Ledger, b.Records)
	return b
}

func (b *bundle) close(t *testing.T, as run.State, reason string, want run.State) {
	t.Helper()
	state, err := b.closer.Close(t.Context(), runtest.ID, as, reason)
	must(t, err)
	if state != want {
		t.Fatalf("run is %s, want %s", state, want)
	}
}

func (b *bundle) finish(t *testing.T, want run.State) {
	t.Helper()
	state, err := b.closer.Finish(t.Context(), runtest.ID)
	must(t, err)
	if state != want {
		t.Fatalf("run is %s, want %s", state, want)
	}
}

func TestACloseWaitsForTheLastLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	b.Claim(t, 2, 1)
	b.close(t, run.Failed, "chunk 3 failed", run.Cancelling)
	b.Expect(t, run.Cancelling, "chunk 3 failed")
	b.Exec(t, "UPDATE backfill.ledger SET lease_until = now() WHERE chunk = 1")
	b.finish(t, run.Cancelling)
	if n := b.Expiring(t); n != 0 {
		t.Fatalf("%d items expire before the end", n)
	}
	b.Die(t)
	b.finish(t, run.Failed)
	b.Expect(t, run.Failed, "chunk 3 failed")
	if n := b.Expiring(t); n != 4 {
		t.Fatalf("%d items of 4 expire", n)
	}
}

// TestAWorkerThatIsAliveAfterAllDoesNotCommit: its lease ran out, and the end took its fence away.
func TestAWorkerThatIsAliveAfterAllDoesNotCommit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	claim := b.Claim(t, 1, 1)
	b.Die(t)
	b.close(t, run.Cancelled, "enough", run.Cancelled)
	released, err := b.Ledger.Release(t.Context(), claim, 0, "late")
	must(t, err)
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PENDING' AND fence > $1", claim.Fence); released || n != 1 {
		t.Fatalf("released %v, %d chunks were taken away", released, n)
	}
}

// TestACloseIsToldWhileItWaitsForAZombie: a lease that ran out in the middle of a transaction, whose end is awaited.
func TestACloseIsToldWhileItWaitsForAZombie(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	b.Die(t)
	zombie, err := b.Conn.Begin(t.Context())
	must(t, err)
	_, err = zombie.Exec(t.Context(), "UPDATE backfill.ledger SET seq = seq + 1 WHERE chunk = 1")
	must(t, err)
	closed := make(chan run.State)
	go func() {
		state, err := b.closer.Close(t.Context(), runtest.ID, run.Cancelled, "enough")
		if err != nil {
			t.Error(err)
		}
		closed <- state
	}()
	pgtest.WaitUntil(t, b.DB.Connect(t), "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) "+
		"WHERE NOT l.granted AND a.datname = current_database())")
	if status := b.Record(t).Status; status.State != run.Cancelling || status.Reason != "enough" {
		t.Errorf("while it waits: %s (%s)", status.State, status.Reason)
	}
	must(t, zombie.Commit(t.Context()))
	if state := <-closed; state != run.Cancelled {
		t.Fatalf("run is %s", state)
	}
	b.Expect(t, run.Cancelled, "enough")
}

// reads counts how often the run is read.
type reads struct {
	closing.Ledger
	made int
}

func (r *reads) Run(ctx context.Context, id string) (ledger.Run, error) {
	r.made++
	return r.Ledger.Run(ctx, id)
}

func TestACloseReadsTheRunOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	counted := &reads{Ledger: b.Ledger}
	b.closer = closing.New(counted, b.Records)
	if b.close(t, run.Cancelled, "enough", run.Cancelled); counted.made != 1 {
		t.Errorf("%d reads", counted.made)
	}
}

func TestACloseThatIsRepeatedKeepsTheFirstReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	b.close(t, run.Cancelled, "by a person", run.Cancelling)
	b.close(t, run.Failed, "by an event that came later", run.Cancelling)
	b.Die(t)
	b.close(t, run.Failed, "by an event that came later", run.Cancelled)
	b.close(t, run.Failed, "by an event that came later", run.Cancelled)
	b.Expect(t, run.Cancelled, "by a person")
}

func TestARunThatHasEndedStaysAsItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1, 2, 3)
	_, err := b.Ledger.Move(t.Context(), runtest.ID, run.Running, run.Completed)
	must(t, err)
	b.close(t, run.Cancelled, "too late", run.Completed)
	b.Expect(t, run.Completed, "")
}

// TestARecordThatIsLateIsBroughtInLine: whoever closed the run died before it told the record.
func TestARecordThatIsLateIsBroughtInLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	_, err := b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Failed, "lost")
	must(t, err)
	b.finish(t, run.Cancelling)
	b.Expect(t, run.Cancelling, "lost")
	b.Die(t)
	_, _, err = b.Ledger.Finish(t.Context(), runtest.ID)
	must(t, err)
	b.finish(t, run.Failed)
	b.Expect(t, run.Failed, "lost")
	if n := b.Expiring(t); n != 4 {
		t.Fatalf("%d items of 4 expire", n)
	}
}

// TestAFinishOfARunThatGoesOnChangesNothing.
func TestAFinishOfARunThatGoesOnChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.Record(t)
	b.finish(t, run.Running)
	b.Expect(t, run.Running, "")
	if diff := cmp.Diff(before, b.Record(t)); diff != "" {
		t.Fatal(diff)
	}
}

func TestAnUnknownRunIsInvalid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.closer.Close(t.Context(), "nobody", run.Cancelled, ""); !failure.Is(err, failure.Invalid) {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheEndHasTheLastFigures: what workers committed after the last beat, whoever ends the run.
func TestTheEndHasTheLastFigures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1)
	b.close(t, run.Cancelled, "the execution was stopped", run.Cancelled)
	status := b.Record(t).Status
	if status.Rows.Scanned != 100 || status.Rows.Affected != 99 || status.Chunks.Completed != 1 || status.Chunks.Pending != 2 {
		t.Fatalf("%+v, %+v", status.Rows, status.Chunks)
	}
	if progress, err := b.Ledger.Look(t.Context(), runtest.ID); err != nil || progress.Beats != b.Record(t).Beats {
		t.Fatalf("a look counts as a beat: %d, %v", progress.Beats, err)
	}
}
