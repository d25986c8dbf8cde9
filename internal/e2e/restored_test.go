package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// forget removes all that DynamoDB holds of a run, as a table that was lost would.
func (b *bundle) forget(t *testing.T, id string) int {
	t.Helper()
	client, table, gone := dynamodb.NewFromConfig(b.config), aws.String(b.outputs["TableName"]), 0
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName: table, FilterExpression: aws.String("begins_with(PK, :run)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":run": &types.AttributeValueMemberS{Value: "RUN#" + id}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, item := range page.Items {
			_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
				TableName: table, Key: map[string]types.AttributeValue{"PK": item["PK"], "SK": item["SK"]},
			})
			must(t, err)
			gone++
		}
	}
	return gone
}

// TestRecordsAreLostInTheMiddleOfARun: they are made again from Postgres, and the run goes on by itself.
func TestRecordsAreLostInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	table := unique("forgotten")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 20_000))
	id, execution := b.inTheMiddle(t, 2_000)
	if gone := b.forget(t, id); gone < 10 {
		t.Fatalf("%d items were there to be lost", gone)
	}
	status := b.completes(t, id, execution, 3*time.Minute)
	if b.expectOnce(t); status.Rows.Affected != 20_000 {
		t.Fatalf("%+v", status.Rows)
	}
}

// TestARunWithoutRecordsIsRolledBack: a rollback needs nothing but Postgres.
func TestARunWithoutRecordsIsRolledBack(t *testing.T) {
	t.Parallel()
	table := unique("bare")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 10_000))
	before := b.digest(t)
	id, execution := b.define(t, increment(table, 3_000))
	b.completes(t, id, execution, 2*time.Minute)
	b.forget(t, id)
	b.again(t, id, "rollback", nil)
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 10_000 || b.digest(t) != before {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
}

// TestPostgresGoesBackInTheMiddleOfARun: table and ledger are again as they were a while ago, as after a restore or a
// failover to a standby that lagged. It is found, it is said, and what was lost runs again.
func TestPostgresGoesBackInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	table := unique("restored")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 40_000))
	saved := quoted(table + "_saved")
	t.Cleanup(func() {
		for _, suffix := range []string{"_saved", "_ledger", "_undo"} {
			b.drop(t, "TABLE "+quoted(table+suffix))
		}
	})
	id, execution := b.inTheMiddle(t, 2_000)
	copies := fmt.Sprintf(`BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE %s AS SELECT * FROM %s;
		CREATE TABLE %s AS SELECT * FROM backfill.ledger WHERE run = '%s'; CREATE TABLE %s AS SELECT * FROM backfill.undo WHERE run = '%s'; COMMIT`,
		saved, quoted(table), quoted(table+"_ledger"), id, quoted(table+"_undo"), id)
	b.script(t, copies)
	waitFor(t, time.Minute, "the status has figures that will be lost", func() bool {
		status, err := b.status(t, id)
		must(t, err)
		// More than what workers do again before the next sample.
		return status.Rows.Scanned > 12_000+b.number(t, "SELECT coalesce(sum(scanned), 0)::bigint FROM "+quoted(table+"_ledger"))
	})
	b.script(t, strings.NewReplacer("TABLE", quoted(table), "SAVED", saved, "LEDGER", quoted(table+"_ledger"), "UNDO", quoted(table+"_undo"), "RUN", id).Replace(`
		BEGIN; LOCK backfill.ledger, backfill.undo, TABLE IN EXCLUSIVE MODE;
		DELETE FROM backfill.ledger WHERE run = 'RUN'; INSERT INTO backfill.ledger SELECT * FROM LEDGER;
		DELETE FROM backfill.undo WHERE run = 'RUN'; INSERT INTO backfill.undo SELECT * FROM UNDO;
		UPDATE TABLE t SET n = s.n FROM SAVED s WHERE s.id = t.id AND s.n <> t.n; COMMIT`))
	said := false
	waitFor(t, time.Minute, "it is found and said", func() bool {
		status, err := b.status(t, id)
		must(t, err)
		said = said || strings.Contains(status.Reason, "gone back to an older time")
		return said || status.State.Ended()
	})
	status := b.completes(t, id, execution, 3*time.Minute)
	if b.expectOnce(t); !said || status.Rows.Affected != 40_000 {
		t.Fatalf("said %v, %+v", said, status.Rows)
	}
}
