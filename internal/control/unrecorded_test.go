package control_test

import (
	"encoding/json"
	"strings"
	"testing"

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
