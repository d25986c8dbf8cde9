package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

// mend makes the word a number that is none.
func (b *bundle) mend(t *testing.T) {
	t.Helper()
	b.script(t, "UPDATE "+quoted(b.table)+" SET word = id::text WHERE word !~ '^[0-9]+$'")
}

// rejectedRows are passed over within the budget, shown, mended, and tried again by the same run.
func (c command) rejectedRows(t *testing.T) {
	table, id := unique("rejects"), unique("run")
	b := setup(t, table, fmt.Sprintf(words, quoted(table)))
	got := c.expect(t, 0, "start", "-f", write(t, numbers(table, "error_budget: 5\n")), "--run", id, "--wait")
	if !strings.Contains(got.out, "30,000 rows read, 29,999 changed, 1 rejected") || strings.Contains(got.out+got.err, "7077") {
		t.Errorf("start: %s%s", got.out, got.err)
	}
	b.expectNumbers(t, 29_999)
	if got := c.expect(t, 0, "rejects", id); !strings.Contains(got.out, "12345") || !strings.Contains(got.out, "22P02") {
		t.Errorf("rejects: %s", got.out)
	}
	if got := c.expect(t, 0, "chunks", id); !strings.Contains(got.out, "REJECTED") {
		t.Errorf("chunks: %s", got.out)
	}
	if got := c.expect(t, 0, "status", id); !strings.Contains(got.out, "1 rejected") || !strings.Contains(got.out, "retry "+id) {
		t.Errorf("status: %s", got.out)
	}
	b.mend(t)
	c.expect(t, 0, "retry", id, "--wait")
	b.expectNumbers(t, 30_000)
	if got := c.expect(t, 0, "rejects", id); !strings.Contains(got.out, "no rejected row") {
		t.Errorf("rejects after the retry: %s", got.out)
	}
	status := statusIn(t, c.expect(t, 0, "status", id, "-o", "json").out)
	if status.State != run.Completed || status.Rows.Rejected != 0 || status.Rows.Affected != 30_000 {
		t.Errorf("%s, %+v", status.State, status.Rows)
	}
}

// aFailureThatPauses stops the run in its execution, which goes on when the row is mended.
func (c command) aFailureThatPauses(t *testing.T) {
	table, id := unique("pauses"), unique("run")
	b := setup(t, table, fmt.Sprintf(words, quoted(table)))
	c.expect(t, 0, "start", "-f", write(t, numbers(table, "on_failure: pause\n")), "--run", id)
	waitFor(t, time.Minute, "the execution waits for a person", func() bool {
		return b.number(t, "SELECT count(*) FROM backfill.runs WHERE run = $1 AND state = 'PAUSED' AND waiting IS NOT NULL", id) == 1
	})
	got := c.expect(t, 0, "status", id)
	if !strings.Contains(got.out, "PAUSED: chunk 3 failed: ") || !strings.Contains(got.out, "failures  chunk 3, ") || strings.Contains(got.out, "7077") {
		t.Errorf("status: %s", got.out)
	}
	b.mend(t)
	c.expect(t, 0, "resume", id, "--wait")
	b.expectNumbers(t, 30_000)
}
