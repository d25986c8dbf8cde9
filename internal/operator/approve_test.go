package operator

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

// canaryTranscripts are what people see of a run that begins with a canary.
var canaryTranscripts = map[string]transcript{
	"start-canary":        {[]string{"start", "users-email-normalized", "--run", "email-1", "--canary", "1%"}, answers("status", unknownRun(), working())},
	"start-canary-bad":    {[]string{"start", "users-email-normalized", "--run", "email-1", "--canary", "60%"}, nil},
	"start-canary-dry":    {[]string{"start", "users-email-normalized", "--canary", "1%", "--dry-run"}, nil},
	"status-canary":       {[]string{"status", "email-1"}, answers("status", canaryWorks())},
	"status-canary-looks": {[]string{"status", "email-1"}, answers("status", canaryLooks(40_000))},
	"watch-canary-looks": {[]string{"watch", "email-1"}, answers("status", canaryWorks(), canaryLooks(0), canaryLooks(0), canaryLooks(0), canaryLooks(40_000), canaryLooks(40_000), canaryLooks(40_000),
		canaryWaits())},
	"status-canary-waits":    {[]string{"status", "email-1"}, answers("status", canaryWaits())},
	"status-canary-approved": {[]string{"status", "email-1"}, answers("status", canaryApproved())},
	"approve":                {[]string{"approve", "email-1"}, answers("approve", canaryApproved())},
	"approve-early":          {[]string{"approve", "email-1"}, answers("approve", classed("Backfill.Invalid", "run email-1 is RUNNING, and does not wait for an approval: its canary has not come to its end"))},
	"approve-wait":           {[]string{"approve", "email-1", "--wait"}, all(answers("approve", canaryApproved()), answers("status", canaryApproved(), after(run.Completed, "")))},
	"start-canary-wait": {[]string{"start", "users-email-normalized", "--run", "email-1", "--canary", "1%", "--wait"},
		answers("status", unknownRun(), canaryWorks(), canaryWaits())},
	"watch-canary-deviates": {[]string{"watch", "email-1"}, answers("status", canaryWorks(), canaryDeviates())},
	"watch-failure":         {[]string{"watch", "email-1"}, answers("status", working(), failurePaused())},
	"resume-unapproved": {[]string{"resume", "email-1"}, all(answers("status", canaryWaits()), answers("resume", classed("Backfill.Invalid",
		"run email-1 is PAUSED, and waits for an approval of its canary: `backfill approve email-1` lets it go on with the rest, `backfill rollback email-1` takes the canary back")))},
	"help-approve": {[]string{"approve", "--help"}, nil},
}

func TestCanaryTranscripts(t *testing.T) { transcribe(t, canaryTranscripts) }

func canaryWorks() run.Status {
	status := working()
	status.Canary, status.ETA = &run.Canary{Share: "1%", Held: 990}, nil
	return status
}

// canaryLooks is a canary of which all chunks are done, and so many rows were looked at once more.
func canaryLooks(rows int64) run.Status {
	status := canaryWorks()
	status.Canary.Looking, status.Rows.Verified = 4, rows
	status.Chunks.Pending, status.Chunks.Processing = 6, 0
	status.Throttle.Reason = "the canary's rows are looked at, before the run waits for an approval; at most 4 workers at a time"
	return status
}

func canaryWaits() run.Status {
	status := paused()
	status.Reason = "canary of 1%: 10 chunks, 98,000 rows written; verified, 98,000 as they should be; 990 chunks left: 9m0s to 34m10s, 1.8 GB to 3.1 GB of WAL; waits for an approval"
	status.Pause.By, status.Pause.For = "", run.ForCanary
	status.Throttle.Reason = status.Reason
	status.Changes = []run.Change{{At: noon.Add(-2 * time.Hour), State: run.Paused, Detail: status.Reason}}
	status.Canary = &run.Canary{Share: "1%", Held: 990, Forecast: &run.Forecast{
		At: noon.Add(-2 * time.Hour), Share: "1%", Chunks: 10, Keys: 100_000, Written: 98_000, Left: run.Left{Chunks: 990, Keys: 9_900_000},
		Rows: &run.Range{Value: 9_702_000, From: 9_650_000, To: 9_754_000}, Seconds: &run.Range{Value: 1200, From: 540, To: 2050},
		WAL: &run.Range{Value: 2_400_000_000, From: 1_900_000_000, To: 3_300_000_000}, Growth: &run.Range{Value: 90_000_000, From: 45_000_000, To: 180_000_000},
		Verified: &run.Checked{Rows: 98_000},
	}}
	return status
}

func canaryDeviates() run.Status {
	status := canaryWaits()
	status.Reason = strings.Replace(status.Reason, "98,000 as they should be", "3 of 98,000 do NOT hold what they should", 1)
	status.Canary.Forecast.Verified = &run.Checked{Rows: 98_000, Deviating: 3}
	return status
}

func canaryApproved() run.Status {
	status := working()
	status.Canary = canaryWaits().Canary
	status.Canary.Share, status.Canary.Held, status.Canary.Approved = "", 0, true
	status.Canary.Forecast.Verified, status.Canary.Forecast.Unfit = nil, "set.n: its expression reads n, which the run writes"
	return status
}

// TestARollbackEndsTheCanaryFirst: the run is cancelled, so that its execution ends, and its rollback has an execution of its own.
func TestARollbackEndsTheCanaryFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	accepts(canaryWaits(), rolling(0))(b)
	b.control.answers["cancel"] = []any{after(run.Cancelled, "cancelled by ann@laptop")}
	if code := b.run(t, "rollback", "email-1"); code != exitDone || b.executions.started["email-1-rollback-20261124-120000"] == "" {
		t.Fatalf("exit code %d, started %v: %s", code, b.executions.started, &b.err)
	}
	if diff := cmp.Diff(`act {"action":"cancel","run":"email-1","by":"ann@laptop"}`, b.control.asked[1]); diff != "" {
		t.Error(diff)
	}
	late := setup(t)
	accepts(canaryWaits())(late)
	late.control.answers["cancel"] = []any{working()}
	if code := late.run(t, "rollback", "email-1"); code != exitFailed || len(late.executions.started) > 0 || !strings.Contains(late.err.String(), "is ending now") {
		t.Fatalf("exit code %d, started %v: %s", code, late.executions.started, &late.err)
	}
}
