package e2e

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/run"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// paused pauses a run in its middle, and waits until its execution waits.
func (b *bundle) paused(t *testing.T, chunkRows int) (id, execution string) {
	t.Helper()
	id, execution = b.inTheMiddle(t, chunkRows)
	b.control(t, map[string]any{"action": "pause", "run": id, "by": "the test", "reason": "to see"})
	waitFor(t, 90*time.Second, "the execution waits", func() bool {
		return b.number(t, "SELECT count(*) FROM backfill.runs WHERE run = $1 AND state = 'PAUSED' AND waiting IS NOT NULL", id) == 1
	})
	return id, execution
}

// TestAPausedRunStandsStillAndGoesOn: no batch commits later than five seconds after the pause, nobody beats, and no message
// is received; afterwards every row is changed once.
func TestAPausedRunStandsStillAndGoesOn(t *testing.T) {
	t.Parallel()
	const rows = 40_000 // ten seconds of four workers
	table := unique("paused")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), rows))
	id, execution := b.paused(t, 10_000)
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.Paused || status.Reason != "paused by the test: to see" || status.Pause == nil || status.Pause.By != "the test" {
		t.Fatalf("run is %s (%s), %+v", status.State, status.Reason, status.Pause)
	}
	beats := b.number(t, "SELECT beats FROM backfill.runs WHERE run = $1", id)
	batches := b.number(t, "SELECT sum(seq) FROM backfill.ledger WHERE run = $1", id)
	waitFor(t, time.Minute, "it is paused for 15 s", func() bool {
		return b.number(t, "SELECT count(*) FROM backfill.runs WHERE run = $1 AND paused_at < clock_timestamp() - interval '15 s'", id) == 1
	})
	late := b.number(t, `SELECT count(*) FROM backfill.ledger l JOIN backfill.runs r USING (run)
		WHERE run = $1 AND l.updated_at > r.paused_at + interval '5 s'`, id)
	working := b.number(t, "SELECT count(*) FROM backfill.ledger WHERE run = $1 AND state = 'PROCESSING'", id)
	if now := b.number(t, "SELECT sum(seq) FROM backfill.ledger WHERE run = $1", id); now != batches || late != 0 || working != 0 {
		t.Fatalf("%d batches while paused, %d chunks touched late, %d at work", now-batches, late, working)
	}
	if now := b.number(t, "SELECT beats FROM backfill.runs WHERE run = $1", id); now != beats {
		t.Fatalf("%d beats while paused", now-beats)
	}
	if b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id") == 0 {
		t.Fatal("the run was over before it was paused")
	}
	b.control(t, map[string]any{"action": "resume", "run": id})
	b.control(t, map[string]any{"action": "resume", "run": id}) // twice is once
	status = b.completes(t, id, execution, 3*time.Minute)
	if b.expectOnce(t); status.Rows.Affected != rows || status.Pause != nil {
		t.Fatalf("%+v, %+v", status.Rows, status.Pause)
	}
}

// TestACancelOfAPausedRun works at once, and its execution ends as the run does.
func TestACancelOfAPausedRun(t *testing.T) {
	t.Parallel()
	table := unique("dropped")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 100_000))
	id, execution := b.paused(t, 10_000)
	b.control(t, map[string]any{"action": "cancel", "run": id, "by": "the test"})
	if status, err := b.status(t, id); err != nil || status.State != run.Cancelled {
		t.Fatalf("run is %s, %v", status.State, err)
	}
	if described := b.ended(t, execution, time.Minute); described.Status != sfntypes.ExecutionStatusFailed || *described.Error != "Backfill.RunCancelled" {
		t.Fatalf("execution %s", described.Status)
	}
}
