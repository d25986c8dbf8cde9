package closing_test

import (
	"context"
	"testing"

	"backfill/internal/closing"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// TestALostExecutionIsTriedAgainUntilTheRunHasEnded: the caller's retry waits for workers.
func TestALostExecutionIsTriedAgainUntilTheRunHasEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Claim(t, 1, 1)
	if _, err := b.closer.Lost(t.Context(), runtest.ID, "", runtest.Execution, run.Failed, "timed out"); !failure.Is(err, failure.Transient) {
		t.Fatalf("closed under a lease that lives: %v", err)
	}
	b.Expect(t, run.Cancelling, "timed out")
	b.Die(t)
	state, err := b.closer.Lost(t.Context(), runtest.ID, "", runtest.Execution, run.Failed, "timed out")
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
		state, err := b.closer.Lost(t.Context(), "run-2", "users", "arn:2", run.Failed, "unknown column")
		must(t, err)
		status, err := b.Records.Status(t.Context(), "run-2")
		must(t, err)
		if state != run.Failed || status.State != run.Failed || status.Reason != "unknown column" || status.Backfill != "users" {
			t.Fatalf("run is %s, recorded %+v", state, status)
		}
	}
	b.Expect(t, run.Running, "")
}

// TestTheEndOfAnotherExecutionEndsNothing: it was started under the name of a run that goes on, and was refused.
func TestTheEndOfAnotherExecutionEndsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.Record(t)
	state, err := b.closer.Lost(t.Context(), runtest.ID, "", "arn:2", run.Failed, "busy")
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
		state, err := b.closer.Lost(t.Context(), runtest.ID, "users", runtest.Execution, as, reason)
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
	if _, err := closer.Lost(t.Context(), runtest.ID, "users", runtest.Execution, run.Cancelled, "too late"); !failure.Is(err, failure.Transient) {
		t.Fatal(err) // it is tried again, and finds that the run is another's
	}
	state, err := closer.Lost(t.Context(), runtest.ID, "users", runtest.Execution, run.Cancelled, "too late")
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
