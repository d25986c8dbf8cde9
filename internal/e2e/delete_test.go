package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestADeletionAndItsRollback: the rows in scope go, and come back whole, but for one whose key a user has taken meanwhile.
func TestADeletionAndItsRollback(t *testing.T) {
	t.Parallel()
	table := unique("purged")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	before := b.digest(t)
	id, execution := b.define(t, fmt.Sprintf("name: purge\ntable: %s\ndelete: true\nwhere: id %% 2 = 0\nchunk_rows: 10000\n", table))
	status := b.completes(t, id, execution, 2*time.Minute)
	left := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE id % 2 = 1 AND n = id")
	if all := b.number(t, "SELECT count(*) FROM "+quoted(table)); left != 30_000 || all != left || status.Rows.Affected != 30_000 || status.Kind != "delete" {
		t.Fatalf("%d of %d rows are those out of scope; %s, %+v", left, all, status.Kind, status.Rows)
	}
	b.script(t, "INSERT INTO "+quoted(table)+" VALUES (8, -1)")
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 29_999 || status.Rows.Conflicts != 1 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
	conflicts := string(b.control(t, map[string]any{"action": "conflicts", "run": id}))
	if !strings.Contains(conflicts, `"key":["8"],"holds":["-1"],"was":["8"]`) || !strings.Contains(conflicts, `"why":"another row has its key`) {
		t.Fatalf("conflicts: %s", conflicts)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = 8 WHERE id = 8")
	if b.digest(t) != before {
		t.Fatal("the table is not as it was")
	}
}
