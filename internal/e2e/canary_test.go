package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

// canaried starts a run with a canary by the command, and waits until its execution waits.
func (c command) canaried(t *testing.T) (b *bundle, id string) {
	t.Helper()
	table, id := unique("canary"), unique("run")
	b = setup(t, table, fmt.Sprintf(counters, quoted(table), 60_000))
	c.expect(t, 0, "start", "-f", write(t, increment(table, 2_000)), "--run", id, "--canary", "10%")
	waitFor(t, 3*time.Minute, "the canary waits", func() bool {
		return b.number(t, "SELECT count(*) FROM backfill.runs WHERE run = $1 AND state = 'PAUSED' AND paused_for = 'canary' AND waiting IS NOT NULL", id) == 1
	})
	if n := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id + 1"); n != 6_000 {
		t.Fatalf("%d rows are changed by the canary", n)
	}
	return b, id
}

// canaryApproved: status has the forecast, a resume is no approval, and after one each row is changed once.
func (c command) canaryApproved(t *testing.T) {
	b, id := c.canaried(t)
	got := c.expect(t, 0, "status", id)
	for _, part := range []string{"waits for an approval", "10%: 3 chunks, 6,000 read, 6,000 written", "rows to write: about 54,000", "WAL: about", "approve " + id, "rollback " + id} {
		if !strings.Contains(got.out, part) {
			t.Errorf("status does not say %q: %s", part, got.out)
		}
	}
	status := statusIn(t, c.expect(t, 0, "status", id, "-o", "json").out)
	if f := status.Canary; f == nil || f.Held != 27 || f.Forecast == nil || f.Forecast.Seconds == nil || f.Forecast.WAL == nil {
		t.Errorf("%+v", status.Canary)
	}
	if got := c.expect(t, 2, "resume", id); !strings.Contains(got.err, "approve "+id) {
		t.Errorf("resume: %s", got.err)
	}
	if got := c.expect(t, 0, "approve", id, "--wait"); !strings.Contains(got.out, "run "+id+" is COMPLETED") {
		t.Errorf("approve: %s", got.out)
	}
	b.expectOnce(t)
	if got := c.expect(t, 2, "approve", id); !strings.Contains(got.err, "does not wait for an approval") {
		t.Errorf("a second approve: %s", got.err)
	}
}

// canaryTakenBack, by the one command.
func (c command) canaryTakenBack(t *testing.T) {
	b, id := c.canaried(t)
	if got := c.expect(t, 0, "rollback", id, "--wait"); !strings.Contains(got.out, "run "+id+" is ROLLED_BACK") {
		t.Errorf("rollback: %s", got.out)
	}
	if n := b.number(t, "SELECT count(*) FROM "+quoted(b.table)+" WHERE n <> id"); n != 0 {
		t.Errorf("%d rows are not as they were", n)
	}
	if n := b.number(t, "SELECT count(*) FROM backfill.runs r JOIN backfill.ledger l USING (run) WHERE run = $1 AND (r.state <> $2 OR l.state <> $2)", id, string(run.RolledBack)); n != 0 {
		t.Errorf("%d chunks are not rolled back", n)
	}
}
