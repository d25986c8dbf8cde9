package e2e

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/run"
)

// rollback: a chunk, then the rest beside a user's change, then nothing any more.
func (c command) rollback(t *testing.T) {
	table, id := unique("command"), unique("run")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 30_000))
	got := c.expect(t, 0, "start", "-f", write(t, increment(table, 10_000)), "--run", id, "--wait")
	if !strings.Contains(got.out, "rollback "+id) {
		t.Errorf("start: %s", got.out)
	}
	status := statusIn(t, c.expect(t, 0, "rollback", id, "--chunks", "2", "--wait", "-o", "json").out)
	left := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id + 1")
	if status.State != run.Completed || status.Chunks.RolledBack != 1 || status.Rows.Restored != 10_000 || left != 20_000 {
		t.Fatalf("%d rows are changed still, %+v", left, status)
	}
	b.script(t, "UPDATE "+quoted(table)+" SET n = -1 WHERE id = 7; DELETE FROM "+quoted(table)+" WHERE id = 8")
	got = c.expect(t, 0, "rollback", id, "--wait")
	for _, part := range []string{"run " + id + " is ROLLED_BACK", "29,998 of 30,000 rows restored, 2 conflicts; 3 chunks rolled back", "conflicts " + id} {
		if !strings.Contains(got.out, part) {
			t.Errorf("rollback does not say %q: %s", part, got.out)
		}
	}
	if wrong := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n <> id AND id <> 7"); wrong != 0 {
		t.Errorf("%d rows are not as they were", wrong)
	}
	c.afterARollback(t, id)
}

func (c command) afterARollback(t *testing.T, id string) {
	t.Helper()
	lines := strings.Split(c.expect(t, 0, "conflicts", id).out, "\n")
	if len(lines) != 4 || strings.Join(strings.Fields(lines[1]), " ") != "1 7 n -1 7" || strings.Join(strings.Fields(lines[2]), " ") != "1 8 n gone 8" {
		t.Errorf("conflicts: %q", lines)
	}
	if got := c.expect(t, 0, "conflicts", id, "--limit", "1"); !strings.Contains(got.out, "--limit 1 --after 1") {
		t.Errorf("conflicts: %s", got.out)
	}
	if got := c.expect(t, 2, "rollback", id); !strings.Contains(got.err, "nothing left to roll back") {
		t.Errorf("a second rollback: %s", got.err)
	}
	if got := c.expect(t, 2, "resume", id, "--wait"); !strings.Contains(got.err, "nothing left to do") {
		t.Errorf("resume: %s", got.err)
	}
	if got := c.expect(t, 0, "rebuild", id); !strings.Contains(got.out, "3 chunks are planned now; that is the whole table") {
		t.Errorf("rebuild: %s", got.out)
	}
	if got := c.expect(t, 0, "watch", id); !strings.Contains(got.out, "ROLLED_BACK") {
		t.Errorf("watch: %s", got.out)
	}
}

// resume: each row is changed once, whatever was done before the cancel.
func (c command) resume(t *testing.T) {
	b, id, _ := c.begins(t, 50_000)
	if got := c.expect(t, 2, "rollback", id); !strings.Contains(got.err, "cancel it first") {
		t.Errorf("rollback: %s", got.err)
	}
	if got := c.expect(t, 2, "resume", id); !strings.Contains(got.err, "it goes on") {
		t.Errorf("resume: %s", got.err)
	}
	c.expect(t, 0, "cancel", id)
	if got := c.expect(t, 1, "watch", id); !strings.Contains(got.err, "resume "+id+" to go on") {
		t.Errorf("watch: %s", got.err)
	}
	got := c.expect(t, 0, "resume", id, "--wait")
	if b.expectOnce(t); !strings.Contains(got.out, "run "+id+" is COMPLETED") || strings.Contains(got.out, "no sign of life") {
		t.Errorf("resume: %s", got.out)
	}
}
