package closing_test

import (
	"context"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/closing"
	"backfill/internal/credentials"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

// notes is a record that only remembers.
type notes struct{ states []run.State }

func (n *notes) SetState(_ context.Context, _ string, to run.State, _ string) error {
	n.states = append(n.states, to)
	return nil
}

func (n *notes) Expire(context.Context, string) error {
	n.states = append(n.states, "expires")
	return nil
}

func (n *notes) Refuse(context.Context, string, string, string) error {
	n.states = append(n.states, "refused")
	return nil
}

func setup(t *testing.T) (*closing.Closer, *ledger.Ledger, *notes) {
	t.Helper()
	db := pgtest.Newest(t)
	session := postgres.NewSession(credentials.Fixed(db.URL), "test")
	t.Cleanup(session.Drop)
	entries := ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
	must(t, entries.Migrate(t.Context()))
	_, err := entries.Open(t.Context(), ledger.Run{Run: "r", Execution: "arn:1", Change: change.Change{Table: change.Table{Schema: "public", Name: "t"}}})
	must(t, err)
	kept := &notes{}
	return closing.New(entries, kept), entries, kept
}

func TestACloseWaitsForTheLastLease(t *testing.T) {
	closer, entries, kept := setup(t)
	claim, err := entries.Claim(t.Context(), chunk.Message{Run: "r", Chunk: 1, Hi: keyset.Point{"1"}, Send: 1}, "worker")
	must(t, err)
	if _, err := closer.Lost(t.Context(), "r", "", "arn:1", run.Failed, "timed out"); !failure.Is(err, failure.Transient) {
		t.Fatalf("closed under a lease that lives: %v", err)
	}
	_, err = entries.Release(t.Context(), claim, 0, "closing")
	must(t, err)
	state, err := closer.Lost(t.Context(), "r", "", "arn:1", run.Failed, "timed out")
	must(t, err)
	if diff := cmp.Diff([]run.State{run.Cancelling, run.Failed, "expires"}, kept.states); state != run.Failed || diff != "" {
		t.Fatalf("run is %s, recorded %s", state, diff)
	}
}

func TestACloseThatIsRepeatedKeepsTheFirstReason(t *testing.T) {
	closer, entries, _ := setup(t)
	_, err := closer.Close(t.Context(), "r", run.Cancelled, "by a person")
	must(t, err)
	state, err := closer.Close(t.Context(), "r", run.Failed, "by an event that came later")
	must(t, err)
	kept, err := entries.Run(t.Context(), "r")
	must(t, err)
	if state != run.Cancelled || kept.Reason != "by a person" {
		t.Fatalf("run is %s: %s", state, kept.Reason)
	}
}

func TestARunThatNeverBeganIsRecordedAsRefused(t *testing.T) {
	closer, _, kept := setup(t)
	state, err := closer.Lost(t.Context(), "nobody", "users", "arn:2", run.Failed, "unknown column")
	must(t, err)
	if diff := cmp.Diff([]run.State{"refused"}, kept.states); state != run.Failed || diff != "" {
		t.Fatalf("run is %s, recorded %s", state, diff)
	}
}

// TestTheEndOfAnotherExecutionEndsNothing: it was started under the name of a run that goes on, and was refused.
func TestTheEndOfAnotherExecutionEndsNothing(t *testing.T) {
	closer, entries, kept := setup(t)
	state, err := closer.Lost(t.Context(), "r", "", "arn:2", run.Failed, "busy")
	must(t, err)
	stored, err := entries.Run(t.Context(), "r")
	must(t, err)
	if state != run.Planning || stored.State != run.Planning || len(kept.states) != 0 {
		t.Fatalf("run is %s, recorded %v", stored.State, kept.states)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
