package control_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/control"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// lose loses the record of the run.
func (b *bundle) lose(t *testing.T) {
	t.Helper()
	_, err := b.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.Table, Key: map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "RUN#" + runtest.ID}, "SK": &types.AttributeValueMemberS{Value: "RUN"},
	}})
	must(t, err)
}

// TestARunWithoutARecordIsKnown: Postgres has its figures, and neither a look nor a cancel needs more.
func TestARunWithoutARecordIsKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1)
	beats := b.Number(t, "SELECT beats FROM backfill.runs")
	b.lose(t)
	for _, step := range []struct {
		alias, action string
		state         run.State
	}{{"read", "status", run.Running}, {"", "cancel", run.Cancelled}, {"", "status", run.Cancelled}} {
		answer, err := b.ask(t, step.alias, `{"action":"`+step.action+`","run":"run-1"}`)
		must(t, err)
		var got run.Status
		must(t, json.Unmarshal([]byte(answer), &got))
		if got.State != step.state || got.Rows.Scanned != 100 || got.Chunks.Completed != 1 || got.Backfill != "users" {
			t.Fatalf("%s: %s", step.action, answer)
		}
	}
	if n := b.Number(t, "SELECT beats FROM backfill.runs"); n != beats {
		t.Fatalf("a look counts as %d beats", n-beats)
	}
	if told := b.refused(t, "", `{"action":"status","run":"nobody"}`); !strings.Contains(told, "run nobody") {
		t.Fatal(told)
	}
}

// TestARebuildHasTheFigures, though no beat comes any more.
func TestARebuildHasTheFigures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 1)
	b.answer(t, `{"action":"cancel","run":"run-1"}`)
	b.lose(t)
	b.answer(t, `{"action":"rebuild","run":"run-1"}`)
	if status := b.Record(t).Status; status.Rows.Scanned != 100 || status.Rows.Affected != 99 || status.State != run.Cancelled {
		t.Fatalf("%s %+v", status.State, status.Rows)
	}
}

// TestARunThatIsNotThereYet: somebody who has just started one asks before the planner has made anything, in a database
// that has never seen a run, or has the schema of an older version, or does not answer.
func TestARunThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(b *bundle){
		"no schema":    func(b *bundle) { b.Exec(t, "DROP SCHEMA backfill CASCADE") },
		"an older one": func(b *bundle) { b.Exec(t, "ALTER TABLE backfill.runs DROP COLUMN resumed_at") },
		"no answer":    func(b *bundle) { b.control.Ledger = unreachable{b.Ledger} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			before(b)
			if told := b.refused(t, "read", `{"action":"status","run":"run-2"}`); !strings.Contains(told, "run run-2") {
				t.Fatal(told)
			}
		})
	}
}

// unreachable is a ledger whose database does not answer.
type unreachable struct{ control.Ledger }

func (unreachable) Run(context.Context, string) (ledger.Run, error) {
	return ledger.Run{}, failure.New(failure.Transient, "connect to database")
}
