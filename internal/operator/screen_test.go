package operator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
	"backfill/internal/signal"
)

var screenTranscripts = map[string]transcript{
	"status-failures":   {[]string{"status", "email-1"}, answers("status", failing(run.Running))},
	"status-failed":     {[]string{"status", "email-1"}, answers("status", failing(run.Failed))},
	"status-crowded":    {[]string{"status", "email-1"}, answers("status", crowded())},
	"status-crowded-80": {[]string{"status", "email-1"}, on(80, answers("status", crowded()))},
}

func TestScreenTranscripts(t *testing.T) { transcribe(t, screenTranscripts) }

// failing is a run of which chunks have failed.
func failing(state run.State) run.Status {
	status := working()
	status.State, status.Chunks.Failed, status.Chunks.Pending, status.Rows.Rejected = state, 3, 1, 50
	const within = "pass over a row of chunk %d of run email-1: SQLSTATE BF005: the error budget is 50 rows, and 50 are rejected; one more: 1 row within \"id\" = %d: SQLSTATE 22P02 (invalid_text_representation)"
	for i, n := range []int64{9, 2, 7} {
		status.Failures = append(status.Failures, run.Failure{Chunk: n, At: noon.Add(-time.Duration(i) * time.Minute), Reason: fmt.Sprintf(within, n, 100_000*n+7)})
	}
	if state.Ended() {
		at := noon
		status.EndedAt, status.ETA, status.Reason = &at, nil, "3 chunks failed (2, 7, 9); chunk 2 failed: "+status.Failures[1].Reason
	}
	return status
}

// crowded is a run of which everything has something to say.
func crowded() run.Status {
	status := failing(run.Running)
	status.Undo.Bytes, status.Striping.Reason = 5<<20, "striped: 16 passes, so that updates can be HOT"
	status.Changes = slices.Concat(paused().Changes, paused().Changes)
	for _, name := range signal.Names() {
		if name == signal.Alarm {
			continue
		}
		value := 12.5
		reading, _ := signal.Limits{}.Read(name, "", &value)
		status.Throttle.Signals = append(status.Throttle.Signals, reading)
	}
	return status
}

// TestTheScreenFits whatever the state of a run of which everything has something to say.
func TestTheScreenFits(t *testing.T) {
	t.Parallel()
	for i, state := range slices.Concat(run.States(), run.States()) {
		b := setup(t)
		if i >= len(run.States()) {
			b.columns = 80
		}
		status := crowded()
		status.State = state
		if state.Pauses() {
			status.Pause = &run.Pause{Since: noon, Until: &noon}
		}
		b.control.answers["status"] = []any{status}
		if code := b.run(t, "status", "email-1"); code != exitDone {
			t.Fatalf("%s: exit code %d", state, code)
		}
		text := b.out.String()
		if lines := strings.Count(text, "\n"); lines > mostLines {
			t.Errorf("%s: %d lines\n%s", state, lines, text)
		}
		if worst := "signals   waiting_for_backfill 12.5 of 2 sessions\n"; moving(state) && !strings.Contains(text, worst) {
			t.Errorf("%s:\n%s", state, text)
		}
		if !strings.Contains(text, "\nfailures  chunk 9, ") || !strings.Contains(text, "\nchanges ") || !strings.Contains(text, "\nnext ") {
			t.Errorf("%s:\n%s", state, text)
		}
	}
}
