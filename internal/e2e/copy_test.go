package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestACopyAndItsRollback: the rows in scope are in the other table once, and are taken away again, but for one that a user has changed.
func TestACopyAndItsRollback(t *testing.T) {
	t.Parallel()
	table := unique("copied")
	into := quoted(table + " Old")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	before := b.digest(t)
	b.script(t, "CREATE TABLE "+into+" (id bigint PRIMARY KEY, twice bigint, made timestamptz NOT NULL DEFAULT clock_timestamp())")
	t.Cleanup(func() { b.drop(t, "TABLE "+into) })
	id, execution := b.define(t, fmt.Sprintf("name: copy\ntable: %s\ncopy:\n  into: '%s'\n  columns: {id: id, twice: n * 2}\nwhere: id %% 2 = 0\nchunk_rows: 10000\n", table, into))
	status := b.completes(t, id, execution, 2*time.Minute)
	right := b.number(t, fmt.Sprintf("SELECT count(*) FROM %s JOIN %s c USING (id) WHERE id %% 2 = 0 AND twice = c.n * 2", into, quoted(table)))
	if all := b.number(t, "SELECT count(*) FROM "+into); right != 30_000 || all != right || status.Rows.Affected != right || status.Kind != "copy" || b.digest(t) != before {
		t.Fatalf("%d of %d rows are right; %s, %+v", right, all, status.Kind, status.Rows)
	}
	b.script(t, "UPDATE "+into+" SET twice = -1 WHERE id = 8")
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 29_999 || status.Rows.Conflicts != 1 || b.number(t, "SELECT count(*) FROM "+into) != 1 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
	if conflicts := string(b.control(t, map[string]any{"action": "conflicts", "run": id})); !strings.Contains(conflicts, `"columns":["twice"]`) ||
		!strings.Contains(conflicts, `"key":["8"],"holds":["-1"],"was":[]`) {
		t.Fatalf("conflicts: %s", conflicts)
	}
}

// TestAMoveAndItsRollback: the rows in scope are in the other table, and come back, but for one whose key a user has taken meanwhile.
func TestAMoveAndItsRollback(t *testing.T) {
	t.Parallel()
	table := unique("moved")
	into := quoted(table + "_old")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	before := b.digest(t)
	b.script(t, "CREATE TABLE "+into+" (id bigint PRIMARY KEY, n bigint)")
	t.Cleanup(func() { b.drop(t, "TABLE "+into) })
	id, execution := b.define(t, fmt.Sprintf("name: move\ntable: %s\ncopy: {into: %s_old, move: true}\nwhere: id %% 2 = 0\nchunk_rows: 10000\n", table, table))
	status := b.completes(t, id, execution, 2*time.Minute)
	left, moved := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE id % 2 = 1"), b.number(t, "SELECT count(*) FROM "+into+" WHERE n = id AND id % 2 = 0")
	if all := b.number(t, "SELECT count(*) FROM "+quoted(table)); left != 30_000 || all != left || moved != 30_000 || status.Rows.Affected != moved || status.Kind != "move" {
		t.Fatalf("%d of %d rows are left, %d moved; %s, %+v", left, all, moved, status.Kind, status.Rows)
	}
	b.script(t, "INSERT INTO "+quoted(table)+" VALUES (8, -1)")
	if status := b.again(t, id, "rollback", nil); *status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the rollback: %s", *status)
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.RolledBack || status.Rows.Restored != 29_999 || status.Rows.Conflicts != 1 || b.number(t, "SELECT count(*) FROM "+into+" WHERE id = 8") != 1 {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Rows)
	}
	if conflicts := string(b.control(t, map[string]any{"action": "conflicts", "run": id})); !strings.Contains(conflicts, `"key":["8"],"holds":["8","8"],"was":["8","8"]`) || !strings.Contains(conflicts, `SQLSTATE 23505`) {
		t.Fatalf("conflicts: %s", conflicts)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = 8 WHERE id = 8")
	if b.digest(t) != before {
		t.Fatal("the table is not as it was")
	}
}
