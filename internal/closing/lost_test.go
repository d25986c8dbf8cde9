package closing_test

import (
	"context"
	"errors"
	"testing"

	"backfill/internal/closing"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// ended is an execution that ended badly, of a run of "users".
func ended(id, execution string, as run.State, reason string) closing.Execution {
	return closing.Execution{Run: id, Backfill: "users", ARN: execution, As: as, Reason: reason}
}

// TestALostExecutionIsTriedAgainUntilTheRunHasEnded: the caller's retry waits for workers.
func TestALostExecutionIsTriedAgainUntilTheRunHasEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	if _, err := b.closer.Lost(t.Context(), ended(runtest.ID, runtest.Execution, run.Failed, "timed out")); !failure.Is(err, failure.Transient) {
		t.Fatalf("closed under a lease that lives: %v", err)
	}
	b.Expect(t, run.Cancelling, "timed out")
	b.Die(t)
	state, err := b.closer.Lost(t.Context(), ended(runtest.ID, runtest.Execution, run.Failed, "timed out"))
	must(t, err)
	if state != run.Failed {
		t.Fatalf("run is %s", state)
	}
	b.Expect(t, run.Failed, "timed out")
}

func TestARunThatNeverBeganIsRecordedAsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 2 { // an event comes at least once
		state, err := b.closer.Lost(t.Context(), ended("run-2", "arn:2", run.Failed, "unknown column"))
		must(t, err)
		status, err := b.Records.Status(t.Context(), "run-2")
		must(t, err)
		if state != run.Failed || status.State != run.Failed || status.Reason != "unknown column" || status.Backfill != "users" {
			t.Fatalf("run is %s, recorded %+v", state, status)
		}
	}
	b.Expect(t, run.Running, "")
}

// TestNothingIsRecordedOfARunThatWasToExist, and does not: a resume or a rollback with a name that nobody knows. Only a
// record that the execution had taken over ends: Postgres has lost the run since.
func TestNothingIsRecordedOfARunThatWasToExist(t *testing.T) {
	t.Parallel()
	b := setup(t)
	refused := ended("run-2", "arn:2", run.Failed, "no such run in this database")
	refused.Reopens = true
	state, err := b.closer.Lost(t.Context(), refused)
	must(t, err)
	if _, found := b.Records.Status(t.Context(), "run-2"); state != "" || !errors.Is(found, records.ErrNotFound) {
		t.Fatalf("run is %s; its record: %v", state, found)
	}
	for execution, want := range map[string]run.State{"arn:1": run.Running, "arn:2": run.Failed} {
		must(t, b.Records.CreateRun(t.Context(), run.Status{Run: "run-of-" + execution, State: run.Running}, execution))
		refused.Run = "run-of-" + execution
		_, err := b.closer.Lost(t.Context(), refused)
		must(t, err)
		if status, err := b.Records.Status(t.Context(), refused.Run); err != nil || status.State != want {
			t.Errorf("the record of %s: %s, %v", execution, status.State, err)
		}
	}
}

// TestTheEndOfAnotherExecutionEndsNothing: it was started under the name of a run that goes on, and was refused.
func TestTheEndOfAnotherExecutionEndsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.Record(t)
	state, err := b.closer.Lost(t.Context(), ended(runtest.ID, "arn:2", run.Failed, "busy"))
	must(t, err)
	if diff := cmp.Diff(before, b.Record(t)); diff != "" || state != run.Running {
		t.Fatalf("run is %s: %s", state, diff)
	}
	b.Expect(t, run.Running, "")
}

// TestARunThatWasNotRecordedYetIsRecordedByItsEnd: its planner died between the two stores.
func TestARunThatWasNotRecordedYetIsRecordedByItsEnd(t *testing.T) {
	t.Parallel()
	for as, reason := range map[run.State]string{run.Failed: "timed out", run.Cancelled: "the execution was stopped"} {
		b := setup(t)
		_, err := b.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.Table, Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "RUN#" + runtest.ID}, "SK": &types.AttributeValueMemberS{Value: "RUN"}}})
		must(t, err)
		state, err := b.closer.Lost(t.Context(), ended(runtest.ID, runtest.Execution, as, reason))
		must(t, err)
		if state != as {
			t.Fatalf("run is %s", state)
		}
		b.Expect(t, as, reason)
	}
}

// TestALateEndChangesNothingOfARunThatWasBroughtBack: the event of its first execution comes when a second one is at work.
func TestALateEndChangesNothingOfARunThatWasBroughtBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	late := revived{Ledger: b.Ledger, t: t, bench: b.Bench}
	closer := closing.New(&late, b.Records)
	if _, err := closer.Lost(t.Context(), ended(runtest.ID, runtest.Execution, run.Cancelled, "too late")); !failure.Is(err, failure.Transient) {
		t.Fatal(err) // it is tried again, and finds that the run is another's
	}
	state, err := closer.Lost(t.Context(), ended(runtest.ID, runtest.Execution, run.Cancelled, "too late"))
	must(t, err)
	if state != run.Running {
		t.Fatalf("the run is %s", state)
	}
	b.Expect(t, run.Running, "")
}

// revived has a person bring the run back between the look at it and its end.
type revived struct {
	*ledger.Ledger
	t     *testing.T
	bench *runtest.Bench
}

func (r *revived) Close(ctx context.Context, id, execution string, as run.State, reason string) (bool, error) {
	r.bench.Exec(r.t, "UPDATE backfill.runs SET execution = 'arn:second'")
	return r.Ledger.Close(ctx, id, execution, as, reason)
}
