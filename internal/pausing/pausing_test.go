package pausing_test

import (
	"context"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pausing"
	"backfill/internal/run"
	"backfill/internal/runtest"
)

// bundle is a run of three chunks that are planned, and a pauser.
type bundle struct {
	*runtest.Bench
	pauser *pausing.Pauser
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.New(t)}
	b.Begin(t, 3)
	b.Plan(t, 3)
	b.pauser = pausing.New(b.Ledger, b.Records)
	return b
}

func (b *bundle) pause(t *testing.T, reason string, want run.State) {
	t.Helper()
	state, err := b.pauser.Pause(t.Context(), runtest.ID, "ann", reason)
	must(t, err)
	if state != want {
		t.Fatalf("run is %s, want %s", state, want)
	}
}

func TestAPauseWaitsForTheLastLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	claim := b.Claim(t, 1, 1)
	b.pause(t, "a release", run.Pausing)
	b.Expect(t, run.Pausing, "a release")
	_, err := b.Ledger.Release(t.Context(), claim, 0, "run is PAUSING")
	must(t, err)
	state, err := b.pauser.Rest(t.Context(), runtest.ID)
	must(t, err)
	b.Expect(t, run.Paused, "a release")
	status := b.Record(t).Status
	if state != run.Paused || status.Pause == nil || status.Pause.By != "ann" || status.Pause.Since.IsZero() || status.Concurrency != 0 {
		t.Fatalf("%s, %+v", state, status)
	}
}

// TestAPauseOfARunAtWhichNobodyWorks is there at once; a second one changes nothing.
func TestAPauseOfARunAtWhichNobodyWorks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pause(t, "first", run.Paused)
	b.pause(t, "second", run.Paused)
	b.Expect(t, run.Paused, "first")
}

func TestAResumeIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pause(t, "a release", run.Paused)
	b.Exec(t, "UPDATE backfill.runs SET heartbeat = now() - interval '1 hour'")
	for range 2 {
		if state, err := b.pauser.Resume(t.Context(), runtest.ID, "ann"); err != nil || state != run.Running {
			t.Fatal(state, err)
		}
		b.Expect(t, run.Running, "")
		if status := b.Record(t).Status; status.Pause != nil {
			t.Fatalf("%+v", status.Pause)
		}
	}
	if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE heartbeat > now() - interval '1 minute'"); n != 1 {
		t.Error("workers would find that nobody watches the run")
	}
}

func TestARollbackIsPausedAndGoesOnAsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1, 2, 3)
	_, err := b.Ledger.Move(t.Context(), runtest.ID, run.Running, run.Completed)
	must(t, err)
	must(t, b.Records.SetState(t.Context(), runtest.ID, run.Completed, ""))
	b.RollBack(t)
	b.pause(t, "a release", run.Paused)
	b.Expect(t, run.Paused, "a release")
	if state, err := b.pauser.Resume(t.Context(), runtest.ID, "ann"); err != nil || state != run.RollingBack {
		t.Fatal(state, err)
	}
	b.Expect(t, run.RollingBack, "")
}

func TestARunThatHasEndedIsNeitherPausedNorLetGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, state := range []run.State{run.Cancelling, run.Completed, run.Failed, run.Cancelled, run.RolledBack} {
		b.Exec(t, "UPDATE backfill.runs SET state = $1", state)
		if got, err := b.pauser.Pause(t.Context(), runtest.ID, "ann", "late"); !failure.Is(err, failure.Invalid) || got != state {
			t.Errorf("pause of %s: %s, %v", state, got, err)
		}
		if got, err := b.pauser.Resume(t.Context(), runtest.ID, "ann"); !failure.Is(err, failure.Invalid) || got != state {
			t.Errorf("resume of %s: %s, %v", state, got, err)
		}
	}
	b.Exec(t, "UPDATE backfill.runs SET state = 'RUNNING'")
	b.Expect(t, run.Running, "")
}

// TestTheRecordFollowsWhoCameLast: a resume between the two stores of a pause, and a pause between those of a resume.
func TestTheRecordFollowsWhoCameLast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := pausing.New(b.Ledger, b.Records)
	once := func(act func()) {
		b.Wire.Before = func(operation string) {
			if operation == "UpdateItem" {
				b.Wire.Before = nil
				act()
			}
		}
	}
	once(func() {
		_, err := other.Resume(t.Context(), runtest.ID, "ann")
		must(t, err)
	})
	b.pause(t, "a release", run.Running)
	b.Expect(t, run.Running, "")
	b.pause(t, "a release", run.Paused)
	once(func() {
		_, err := other.Pause(t.Context(), runtest.ID, "bob", "no, wait")
		must(t, err)
	})
	if state, err := b.pauser.Resume(t.Context(), runtest.ID, "ann"); err != nil || state != run.Paused {
		t.Fatal(state, err)
	}
	b.Expect(t, run.Paused, "no, wait")
}

// TestAllRunsArePausedThoughARecordFails: Postgres has it by then, and no batch starts any more.
func TestAllRunsArePausedThoughARecordFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, state)
		VALUES ('a-run', 'orders', $1, 'public.orders', '', '{}', 'RUNNING')`, runtest.Execution)
	ids, err := b.pauser.PauseAll(t.Context(), runtest.Execution, "ann", "slow")
	must(t, err) // a-run has no record, and needs none
	if len(ids) != 2 || b.Number(t, "SELECT count(*) FROM backfill.runs WHERE state = 'PAUSED'") != 2 {
		t.Fatal(ids)
	}
	b.Expect(t, run.Paused, "slow")
	if status := b.Record(t).Status; status.Pause.For != run.ForAll {
		t.Fatalf("%+v", status.Pause)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.Wire.Before = func(string) { cancel() }
	if ids, err = b.pauser.ResumeAll(ctx, runtest.Execution, "ann"); len(ids) != 2 || err == nil {
		t.Fatal(ids, err)
	}
	b.Wire.Before = nil
	_, err = b.pauser.ResumeAll(t.Context(), runtest.Execution, "ann")
	must(t, err)
	if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE state = 'RUNNING'"); n != 2 {
		t.Fatalf("%d runs go on", n)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
