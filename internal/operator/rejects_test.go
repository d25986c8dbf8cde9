package operator

import (
	"strings"
	"testing"

	"backfill/internal/run"
)

var rejectTranscripts = map[string]transcript{
	"rejects":          {[]string{"rejects", "email-1"}, answers("rejects", someRejects())},
	"rejects-80":       {[]string{"rejects", "email-1"}, on(80, answers("rejects", someRejects()))},
	"rejects-more":     {[]string{"rejects", "email-1", "--limit", "2", "--after", "4"}, answers("rejects", moreRejects())},
	"rejects-none":     {[]string{"rejects", "email-1"}, answers("rejects", map[string]any{"rejects": []any{}})},
	"rejects-end":      {[]string{"rejects", "email-1", "--after", "37"}, answers("rejects", map[string]any{"rejects": []any{}})},
	"rejects-json":     {[]string{"rejects", "email-1", "-o", "json"}, answers("rejects", someRejects())},
	"rejects-unknown":  {[]string{"rejects", "email-1"}, answers("rejects", unknownRun())},
	"help-rejects":     {[]string{"rejects", "--help"}, nil},
	"retry":            {[]string{"retry", "email-1"}, accepts(rejecting(run.Completed), rejecting(run.Running))},
	"retry-wait":       {[]string{"retry", "email-1", "--wait"}, until(Execution{}, rejecting(run.Completed), rejecting(run.Running), reversible())},
	"retry-refused":    {[]string{"retry", "email-1"}, denied("Backfill.Invalid", "run email-1 is COMPLETED: there is nothing to retry", reversible())},
	"help-retry":       {[]string{"retry", "--help"}, nil},
	"status-rejected":  {[]string{"status", "email-1"}, answers("status", rejecting(run.Completed))},
	"watch-rejected":   {[]string{"watch", "email-1"}, answers("status", rejecting(run.Running), rejecting(run.Completed))},
	"watch-overbudget": {[]string{"watch", "email-1"}, answers("status", rejecting(run.Running), rejecting(run.Failed))},
}

func TestRejectTranscripts(t *testing.T) { transcribe(t, rejectTranscripts) }

func someRejects() map[string]any {
	reject := func(chunk int64, key []string, sqlstate, message string) map[string]any {
		return map[string]any{"chunk": chunk, "key": key, "sqlstate": sqlstate, "message": message, "found_at": noon}
	}
	return map[string]any{"rejects": []any{
		reject(1, []string{"7", "ann"}, "22P02", `invalid input syntax for type integer: "ten`+"\n"+strings.Repeat(" and so on", 9)+`"`),
		reject(12, []string{"1012", "gil"}, "23514", `new row for relation "users" violates check constraint "small"`),
	}}
}

// moreRejects is a page that another one follows.
func moreRejects() map[string]any {
	page := someRejects()
	page["next"] = 6
	return page
}

// rejecting is a run that has passed over rows.
func rejecting(state run.State) run.Status {
	status := working()
	switch state {
	case run.Completed:
		status = after(state, "")
	case run.Failed:
		status = after(state, `chunk 3 failed: pass over a row of chunk 3 of run email-1: SQLSTATE BF005: the error budget is 37 rows, and 37 are rejected; `+
			`one more: 1 row within "id" > 20899 AND "id" <= 20900: SQLSTATE 23514 (check_violation), table "users", constraint "small"`)
	default:
	}
	status.Rows.Rejected = 37
	return status
}
