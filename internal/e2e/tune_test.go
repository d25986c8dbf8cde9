package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// TestALimitedRunGoesOnInAnotherSegment: the limit acts in the middle of the run, and the run outlives the history budget of a
// child execution (5 beats here) under the same id, with its progress and its log.
func TestALimitedRunGoesOnInAnotherSegment(t *testing.T) {
	t.Parallel()
	const rows, rate = 100_000, 700
	table := unique("limited")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), rows))
	id, execution := b.inTheMiddle(t, 10_000)
	b.control(t, map[string]any{"action": "tune", "run": id, "rate": rate, "by": "the test"})
	b.expectRate(t, id, rate)
	waitFor(t, 3*time.Minute, "a second segment", func() bool { return b.segments(t, execution) > 1 })
	status, err := b.status(t, id)
	must(t, err)
	if status.State != run.Running || status.Throttle.Reason != "at most 700 rows/s for this run (set by the test)" {
		t.Fatalf("run is %s, %s", status.State, status.Throttle.Reason)
	}
	b.control(t, map[string]any{"action": "tune", "run": id, "rate": 0, "by": "the test"})
	status = b.completes(t, id, execution, 2*time.Minute)
	b.expectOnce(t)
	var said []string
	for _, change := range status.Changes {
		if change.By == "the test" {
			said = append(said, change.Detail)
		}
	}
	if want := []string{"at most 700 rows/s", "no limit of the rate"}; !slices.Equal(said, want) || status.Rows.Affected != rows {
		t.Fatalf("%d rows, the log has %q", status.Rows.Affected, said)
	}
}

// expectRate counts what is committed in some time of the database, from 5 s after the limit was set.
func (b *bundle) expectRate(t *testing.T, id string, rate float64) {
	t.Helper()
	const sample = "SELECT extract(epoch FROM clock_timestamp())::float8, sum(scanned)::float8 FROM backfill.ledger WHERE run = $1"
	var since, from, at, to float64
	begun := b.number(t, "SELECT extract(epoch FROM clock_timestamp())::bigint")
	waitFor(t, time.Minute, "20 s under the limit", func() bool {
		must(t, b.conn.QueryRow(t.Context(), sample, id).Scan(&at, &to))
		if since == 0 && at > float64(begun)+5 {
			since, from = at, to
		}
		return since > 0 && at > since+20
	})
	if got := (to - from) / (at - since); got > 1.15*rate || got < 0.7*rate { // 20 s hold 19 to 22 slices of a second
		t.Fatalf("%.0f rows/s with a limit of %.0f", got, rate)
	}
}

// segments counts the child executions that a run's execution has begun.
func (b *bundle) segments(t *testing.T, execution string) (n int) {
	t.Helper()
	history, err := b.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution})
	must(t, err)
	for _, event := range history.Events {
		if entered := event.StateEnteredEventDetails; entered != nil && *entered.Name == "Segment" {
			n++
		}
	}
	return n
}
