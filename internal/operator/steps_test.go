package operator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/definition"
	"backfill/internal/request"
	"backfill/internal/run"
)

// undoTranscripts are what people see of a run that can be rolled back, or is.
var undoTranscripts = map[string]transcript{
	"status-undo":        {[]string{"status", "email-1"}, answers("status", reversible())},
	"status-cancelled":   {[]string{"status", "email-1", "--region", "eu-west-1"}, answers("status", stopped())},
	"status-rolling":     {[]string{"status", "email-1"}, answers("status", rolling(441_000))},
	"status-rolled-back": {[]string{"status", "email-1"}, answers("status", rolledBack())},
	"status-swept":       {[]string{"status", "email-1"}, answers("status", swept(partly(run.Cancelled)))},
	"status-partly":      {[]string{"status", "email-1"}, answers("status", partly(run.Completed))},
	"list-undo": {[]string{"list"}, answers("list", map[string]any{
		"runs": []run.Status{rolling(441_000), rolledBack(), partly(run.Completed), halted()}})},
	"watch-rolling":     {[]string{"watch", "email-1"}, answers("status", rolling(0), rolling(441_000), rolledBack())},
	"watch-rolling-bar": {[]string{"watch", "email-1"}, on(100, answers("status", rolling(441_000), rolledBack()))},
	"watch-halted":      {[]string{"watch", "email-1"}, answers("status", rolling(441_000), halted())},
	"start-undo":        {[]string{"start", "users-email-normalized", "--run", "email-1", "--wait"}, answers("status", working(), reversible())},
	"start-rolled-back": {[]string{"start", "users-email-normalized", "--run", "email-1", "--wait"}, answers("status", rolledBack())},
	"cancel-undo":       {[]string{"cancel", "email-1"}, answers("cancel", stopped())},
	"cancel-late-undo":  {[]string{"cancel", "email-1"}, answers("cancel", reversible())},
}

func TestUndoTranscripts(t *testing.T) { transcribe(t, undoTranscripts) }

// kept gives a run undo.
func kept(status run.Status) run.Status {
	status.Undo.Bytes = 12_345_678
	return status
}

func reversible() run.Status { return kept(after(run.Completed, "")) }
func stopped() run.Status    { return kept(after(run.Cancelled, "cancelled by ann@laptop")) }

// rolling is a rollback that goes on.
func rolling(restored int64) run.Status {
	status := kept(working())
	status.Action, status.State = request.Rollback, run.RollingBack
	status.Rows = run.Rows{Estimated: 1_000_000, Scanned: 1_000_000, Affected: 980_000, Restored: restored}
	status.Chunks = run.Chunks{Total: 10, Pending: 8, Processing: 2, Retries: 1, AllPlanned: true}
	if restored > 0 {
		status.Rows.Conflicts = 12
		status.Chunks.Pending, status.Chunks.RolledBack = 4, 4
	}
	return status
}

// back is a rollback that has ended.
func back(state run.State, reason string) run.Status {
	status, ended := rolling(441_000), noon.Add(13*time.Second)
	status.State, status.Reason, status.EndedAt, status.ETA, status.Concurrency = state, reason, &ended, nil, 0
	return status
}

func rolledBack() run.Status {
	status := back(run.RolledBack, "chunks rolled back: 10 of 10, rows restored: 979,988, conflicts: 12")
	status.Rows.Restored = 979_988
	status.Chunks = run.Chunks{Total: 10, RolledBack: 10, Retries: 1, AllPlanned: true}
	return status
}

func halted() run.Status { return back(run.Cancelled, "cancelled by bob@host") }

// partly is a run of which four chunks are rolled back: it has the state of before.
func partly(state run.State) run.Status {
	status := back(state, "chunks rolled back: 4 of 10, rows restored: 293,988, conflicts: 12")
	status.Action = request.Start
	status.Rows.Restored = 293_988
	status.Chunks = run.Chunks{Total: 10, Completed: 6, RolledBack: 4, Retries: 1, AllPlanned: true}
	return status
}

// swept is a run whose undo was kept long enough.
func swept(status run.Status) run.Status {
	at := noon.AddDate(0, 0, -3)
	status.Undo = run.Undo{SweptAt: &at}
	return status
}

// TestStepsFitTheRun: no command is named that would be refused.
func TestStepsFitTheRun(t *testing.T) {
	t.Parallel()
	early := after(run.Cancelled, "")
	early.Chunks.Completed = 0
	untouched := stopped()
	untouched.Rows.Affected = 0
	because := func(status run.Status, reason string) run.Status {
		status.Chunks.Failed, status.Failures = 1, []run.Failure{{Chunk: 3, Reason: "apply batch 7 of chunk 3 of run email-1: " + reason}}
		return status
	}
	held, many := canaryDeviates(), stopped()
	held.Chunks.Failed, held.Failures = 1, failing(run.Failed).Failures
	many.Rows.Rejected = definition.MaxErrorBudget
	budget, tolerant := int64(1), because(stopped(), "SQLSTATE 22012")
	tolerant.Throttle.Limits.ErrorBudget = &budget
	for name, c := range map[string]struct {
		status run.Status
		want   []string
	}{
		"goes on":                           {working(), []string{"watch"}},
		"completed, with undo":              {reversible(), []string{"rollback"}},
		"completed, without":                {after(run.Completed, ""), nil},
		"cancelled, with undo":              {stopped(), []string{"resume", "rollback"}},
		"cancelled, without":                {after(run.Cancelled, ""), []string{"resume"}},
		"cancelled before undo was weighed": {early, []string{"resume", "rollback"}},
		"cancelled before anything":         {untouched, []string{"resume"}},
		"refused":                           {run.Status{Run: "email-1", State: run.Failed}, nil},
		"rolling back":                      {rolling(441_000), []string{"watch", "conflicts"}},
		"rolled back":                       {rolledBack(), []string{"conflicts"}},
		"partly rolled back, and swept":     {swept(partly(run.Completed)), nil},
		"a rollback that was swept":         {swept(halted()), nil},
		"cancelled, and swept":              {swept(early), []string{"resume"}},
		"partly rolled back":                {partly(run.Completed), []string{"rollback", "conflicts"}},
		"failed for a row":                  {because(stopped(), `1 row within "id" = 7: SQLSTATE 23514 (check_violation)`), []string{"chunks", "tune", "resume", "rollback"}},
		"failed for many rows":              {because(many, "SQLSTATE 22012"), []string{"chunks", "resume", "rollback", "rejects", "retry"}},
		"failed for rows, and tuned since":  {tolerant, []string{"resume", "rollback"}},
		"failed beyond its budget":          {failing(run.Failed), []string{"chunks", "tune", "resume", "rejects", "retry"}},
		"failed for what Go refused":        {because(stopped(), `1 row within "id" = 7: SQLSTATE BFT01: function "hash" refused the row`), []string{"chunks", "tune", "resume", "rollback"}},
		"failed for a row with a trigger":   {because(stopped(), `1 row within "id" = 7: SQLSTATE P0001 (raise_exception)`), []string{"chunks", "resume", "rollback"}},
		"failed for a right":                {because(stopped(), "SQLSTATE 42501 (insufficient_privilege)"), []string{"resume", "rollback"}},
		"goes on beside what failed":        {because(working(), "SQLSTATE 22012"), []string{"watch"}},
		"paused for a row":                  {failurePaused(), []string{"chunks", "tune", "resume", "cancel"}},
		"a canary that failed for a row":    {held, []string{"chunks", "tune", "approve", "rollback", "cancel"}},
		"a rollback that failed for a row":  {because(halted(), "SQLSTATE 23514 (check_violation)"), []string{"chunks", "resume", "rollback", "conflicts"}},
		"a rollback that was cancelled":     {halted(), []string{"resume", "rollback", "conflicts"}},
	} {
		b := setup(t)
		var got []string
		for _, step := range (&session{World: b.World}).steps(c.status) {
			got = append(got, strings.Fields(step.command)[1])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
