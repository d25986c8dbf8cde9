package e2e

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestAJoinAndItsRollback: rows get the name of their row in another table; those that find none stay as they are, and so does
// one that a user has changed since when the run is rolled back.
func TestAJoinAndItsRollback(t *testing.T) {
	t.Parallel()
	table, names := unique("joined"), unique("names")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000)+fmt.Sprintf(`; CREATE TABLE %[1]s (id bigint PRIMARY KEY, step int);
		INSERT INTO %[1]s SELECT g, 1 FROM generate_series(1, 60000) g WHERE g %% 3 > 0; ANALYZE %[1]s`, quoted(names)))
	before := b.digest(t)
	id, execution := b.define(t, fmt.Sprintf("name: steps\ntable: %s\nfrom: {s: %s}\njoin: s.id = %[1]s.id\nset: {n: n + s.step}\nchunk_rows: 10000\n", table, names))
	status := b.completes(t, id, execution, 2*time.Minute)
	if wrong := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n <> id + (id % 3 > 0)::int"); wrong != 0 || status.Rows.Affected != 40_000 || status.Kind != "join" {
		t.Fatalf("%d rows are wrong; %s, %+v", wrong, status.Kind, status.Rows)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = -1 WHERE id = 8")
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 39_999 || status.Rows.Conflicts != 1 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = 8 WHERE id = 8; DROP TABLE "+quoted(names))
	if b.digest(t) != before {
		t.Fatal("the table is not as it was")
	}
}
