package e2e

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestAnArchiveAndItsRollback: rows move into the archive, and back, but for one that the archive holds otherwise by then.
func TestAnArchiveAndItsRollback(t *testing.T) {
	t.Parallel()
	table, archive := unique("filed"), unique("archive")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000)+fmt.Sprintf("; CREATE TABLE %s (LIKE %s INCLUDING ALL, filed_at timestamptz DEFAULT now())", quoted(archive), quoted(table)))
	before := b.digest(t)
	id, execution := b.define(t, fmt.Sprintf("name: file\ntable: %s\ndelete: true\narchive: %s\nwhere: id %% 2 = 0\nchunk_rows: 10000\n", table, archive))
	status := b.completes(t, id, execution, 2*time.Minute)
	there := b.number(t, "SELECT count(*) FROM "+quoted(archive)+" WHERE id % 2 = 0 AND n = id")
	if left := b.number(t, "SELECT count(*) FROM "+quoted(table)); left != 30_000 || there != 30_000 || status.Rows.Affected != 30_000 || status.Kind != "archive" {
		t.Fatalf("%d rows are left, %d archived; %s, %+v", left, there, status.Kind, status.Rows)
	}
	b.script(t, "UPDATE "+quoted(archive)+" SET n = -1 WHERE id = 8")
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if left := b.number(t, "SELECT count(*) FROM "+quoted(archive)); status.State != run.RolledBack || status.Rows.Restored != 29_999 || status.Rows.Conflicts != 1 || left != 1 {
		t.Fatalf("run is %s (%s), %+v; %d rows in the archive", status.State, status.Reason, status.Rows, left)
	}
	b.script(t, "INSERT INTO "+quoted(table)+" VALUES (8, 8); DROP TABLE "+quoted(archive))
	if b.digest(t) != before {
		t.Fatal("the table is not as it was")
	}
}
