package operator

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 1<<20 - 1: "1.0 MiB", 12_345_678: "11.8 MiB", 1 << 62: "4096.0 PiB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestSpanAndAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		-time.Second:             {"0.0 s", "0 s ago"},
		300 * time.Millisecond:   {"0.3 s", "0 s ago"},
		59 * time.Second:         {"59 s", "59 s ago"},
		61 * time.Second:         {"1 min 01 s", "1 min ago"},
		3599 * time.Second:       {"59 min 59 s", "59 min ago"},
		90 * time.Minute:         {"1 h 30 min", "1 h ago"},
		50 * time.Hour:           {"2 days", "2 days ago"},
		365 * 24 * time.Hour:     {"365 days", "365 days ago"},
		59600 * time.Millisecond: {"1 min 00 s", "59 s ago"},
	} {
		if got := [2]string{span(d), age(d)}; got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// TestDone: chunks bound what rows say, and nothing but the end is 100 %.
func TestDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status run.Status
		want   int
	}{
		"nothing known":       {run.Status{State: run.Planning}, 0},
		"rows":                {run.Status{State: run.Running, Rows: run.Rows{Estimated: 200, Scanned: 50}}, 25},
		"estimate too low":    {run.Status{State: run.Running, Rows: run.Rows{Estimated: 10, Scanned: 500}}, 99},
		"estimate of nothing": {run.Status{State: run.Running, Rows: run.Rows{Estimated: -1, Scanned: 500}}, 0},
		"chunks bound from below": {run.Status{State: run.Running, Rows: run.Rows{Estimated: 1000, Scanned: 10},
			Chunks: run.Chunks{Total: 4, Completed: 2, AllPlanned: true}}, 50},
		"chunks bound from above": {run.Status{State: run.Running, Rows: run.Rows{Estimated: 10, Scanned: 100},
			Chunks: run.Chunks{Total: 4, Completed: 1, Processing: 1, AllPlanned: true}}, 50},
		"chunks that are not all planned say nothing": {run.Status{State: run.Running, Rows: run.Rows{Estimated: 1000, Scanned: 10},
			Chunks: run.Chunks{Total: 1, Completed: 1}}, 1},
		"an empty table": {run.Status{State: run.Completed, Chunks: run.Chunks{AllPlanned: true}}, 100},
		"rolling back": {run.Status{State: run.RollingBack, Chunks: run.Chunks{Total: 4, Completed: 3, AllPlanned: true},
			Rows: run.Rows{Scanned: 100, Affected: 80, Restored: 39, Conflicts: 1}}, 50},
		"all rows are back, the end is not": {run.Status{State: run.RollingBack, Rows: run.Rows{Affected: 80, Restored: 80}}, 99},
		"a rollback of nothing":             {run.Status{State: run.RollingBack}, 0},
		"rolled back":                       {run.Status{State: run.RolledBack}, 100},
		"partly rolled back":                {run.Status{State: run.Completed, Action: "rollback", Rows: run.Rows{Affected: 80, Restored: 40}}, 100},
		"a rollback that was cancelled":     {run.Status{State: run.Cancelled, Action: "rollback", Rows: run.Rows{Affected: 80, Restored: 40}}, 50},

		"failed": {run.Status{State: run.Failed, Rows: run.Rows{Estimated: 100, Scanned: 30}}, 30},
		"cancelled, no chunk is whole": {run.Status{State: run.Cancelled, Rows: run.Rows{Estimated: 600, Scanned: 450},
			Chunks: run.Chunks{Total: 2, Pending: 2, AllPlanned: true}}, 75},
		"closing": {run.Status{State: run.Cancelling, Rows: run.Rows{Estimated: 600, Scanned: 450},
			Chunks: run.Chunks{Total: 2, Pending: 1, Processing: 1, AllPlanned: true}}, 75},
		"resumed, no chunk is claimed yet": {run.Status{State: run.Running, Rows: run.Rows{Estimated: 600, Scanned: 450},
			Chunks: run.Chunks{Total: 2, Pending: 2, AllPlanned: true}}, 75},
		"resumed, a chunk is at work": {run.Status{State: run.Running, Rows: run.Rows{Estimated: 600, Scanned: 450},
			Chunks: run.Chunks{Total: 2, Pending: 1, Processing: 1, Retries: 1, AllPlanned: true}}, 75},
		"let go on, a chunk is at work": {run.Status{State: run.Running, Rows: run.Rows{Estimated: 600, Scanned: 450},
			Chunks: run.Chunks{Total: 2, Pending: 1, Begun: 1, Processing: 1, AllPlanned: true}}, 75},
		"cancelled, and the estimate was too low": {run.Status{State: run.Cancelled, Rows: run.Rows{Estimated: 10, Scanned: 500},
			Chunks: run.Chunks{Total: 4, Completed: 1, Pending: 3, AllPlanned: true}}, 25},
		"cancelled, and partly rolled back": {run.Status{State: run.Cancelled, Action: "start", Rows: run.Rows{Estimated: 100, Scanned: 100},
			Chunks: run.Chunks{Total: 10, Completed: 6, RolledBack: 4, AllPlanned: true}}, 60},
	} {
		if got := percent(c.status); got != c.want {
			t.Errorf("%s: %d%%, want %d%%", name, got, c.want)
		}
	}
}

// TestATableFitsEveryTerminal, and ids are never cut.
func TestATableFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	for columns := 1; columns < 120; columns++ {
		sheet := table{}
		sheet.row("RUN", "STATE", "TABLE", "REASON")
		sheet.row("email-1", "RUNNING", "público.users", "")
		sheet.row("email-22", "FAILED", "public.users", strings.Repeat("long ", 20))
		sheet.fit(columns)
		var out bytes.Buffer
		sheet.write(&out, func(_ int, cell string) string { return cell })
		for line := range strings.Lines(out.String()) {
			if wide := len([]rune(strings.TrimSuffix(line, "\n"))); wide > max(columns, len("email-22")) {
				t.Errorf("%d columns: %d in %q", columns, wide, line)
			}
		}
		if !strings.Contains(out.String(), "email-22") {
			t.Errorf("%d columns: %s", columns, &out)
		}
	}
}
