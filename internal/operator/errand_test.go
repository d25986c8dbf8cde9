package operator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backfill/internal/request"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

var errandTranscripts = map[string]transcript{
	"resume":         {[]string{"resume", "email-1"}, accepts(stopped(), working())},
	"resume-wait":    {[]string{"resume", "email-1", "--wait"}, until(Execution{}, stopped(), working(), reversible())},
	"resume-json":    {[]string{"resume", "email-1", "-o", "json"}, accepts(stopped(), working())},
	"resume-failed":  {[]string{"resume", "email-1", "--wait"}, until(failed("RunFailed"), stopped(), working(), after(run.Failed, "chunk 3 failed: SQLSTATE 22012"))},
	"resume-refused": {[]string{"resume", "email-1"}, denied("Backfill.Invalid", "run email-1 is COMPLETED: there is nothing left to do", reversible())},
	"resume-overtaken": {[]string{"resume", "email-1"}, denied("Backfill.Invalid", "run email-1 is PAUSING: it was being paused when the resume came, and batches that are at work are finished first: "+
		"wait until `backfill watch email-1` shows PAUSED, then `backfill resume email-1` lets it go on", silent())},
	"resume-rollback":   {[]string{"resume", "email-1"}, accepts(halted(), rolling(441_000))},
	"resume-never":      {[]string{"resume", "email-1"}, answers("status", refusedRun())},
	"resume-unknown":    {[]string{"resume", "email-1"}, answers("status", unknownRun())},
	"rollback":          {[]string{"rollback", "email-1"}, accepts(reversible(), rolling(0))},
	"rollback-wait":     {[]string{"rollback", "email-1", "--wait"}, until(Execution{}, reversible(), rolling(0), rolling(441_000), rolledBack())},
	"rollback-bar":      {[]string{"rollback", "email-1", "--wait"}, on(100, until(Execution{}, reversible(), rolling(441_000), rolledBack()))},
	"rollback-part":     {[]string{"rollback", "email-1", "--chunks", "3,7-9", "--wait"}, until(Execution{}, stopped(), rolling(0), rolling(294_000), partly(run.Cancelled))},
	"rollback-json":     {[]string{"rollback", "email-1", "--wait", "-o", "json"}, until(Execution{}, reversible(), rolling(441_000), rolledBack())},
	"rollback-halted":   {[]string{"rollback", "email-1", "--wait"}, until(failed("RunCancelled"), reversible(), rolling(441_000), halted())},
	"rollback-stopped":  {[]string{"rollback", "email-1", "--wait"}, until(Execution{Error: "execution aborted"}, reversible(), rolling(0), rolling(441_000))},
	"rollback-quick":    {[]string{"rollback", "email-1"}, until(Execution{}, reversible(), rolledBack())},
	"rollback-trouble":  {[]string{"rollback", "email-1"}, slow(reversible(), rolling(0))},
	"rollback-refused":  {[]string{"rollback", "email-1"}, denied("Backfill.Invalid", "run email-1 is ROLLED_BACK: there is nothing left to roll back", rolledBack())},
	"rollback-busy":     {[]string{"rollback", "email-1", "-o", "json"}, denied("Backfill.Busy", "run email-2 holds table public.users", reversible())},
	"rollback-broken":   {[]string{"rollback", "email-1"}, denied("Backfill.Transient", "connect to database app: refused", reversible())},
	"rollback-unclosed": {[]string{"rollback", "email-1"}, denied("Backfill.Permanent", `{"Error":"Backfill.Transient","Cause":"{\"errorMessage\":\"connect to database app: refused\",\"errorType\":\"Backfill.Transient\"}"}`, reversible())},
	"rollback-taken":    {[]string{"rollback", "email-1"}, quicker()},
	"usage-chunks":      {[]string{"rollback", "email-1", "--chunks", ""}, nil},
	"verify":            {[]string{"verify", "email-1"}, accepts(reversible(), verification(300_000))},
	"verify-wait":       {[]string{"verify", "email-1", "--wait"}, until(Execution{}, reversible(), verification(0), verification(300_000), certifiedRun(true))},
	"verify-blind":      {[]string{"verify", "email-1", "--wait"}, until(Execution{}, reversible(), verification(0), blindly())},
	"verify-json":       {[]string{"verify", "email-1", "--wait", "-o", "json"}, until(Execution{}, reversible(), verification(300_000), certifiedRun(true))},
	"verify-count":      {[]string{"verify", "email-1", "--no-write", "--wait"}, until(failed("RunFailed"), reversible(), verification(300_000), certifiedRun(false))},
	"verify-cancelled":  {[]string{"verify", "email-1", "--wait"}, until(failed("RunCancelled"), reversible(), verification(300_000), uncertified())},
	"verify-resume":     {[]string{"resume", "email-1"}, accepts(verificationLost(), verification(300_000))},
	"start-skipped": {[]string{"start", "users-email-normalized", "--run", "email-1", "--wait"}, func(b *bundle) {
		b.control.answers["status"] = []any{unknownRun()}
		b.executions.looks = []Execution{{Running: true}, {Skipped: "run email-0 holds table public.users; wait for its end, or `backfill cancel email-0`"}}
	}},
	"verify-refused": {[]string{"verify", "email-1"}, denied("Backfill.Invalid", "run email-1 is CANCELLED: only a run that is COMPLETED can be verified; resume it first", stopped())},
	"help-verify":    {[]string{"verify", "--help"}, nil},
	"help-rollback":  {[]string{"rollback", "--help"}, nil},
}

func TestErrandTranscripts(t *testing.T) { transcribe(t, errandTranscripts) }

func failed(how string) Execution {
	return Execution{Error: "Backfill." + how, Cause: "as the run's reason has it"}
}

// accepts is a stack whose planner takes on what is asked. The first status is that of before.
func accepts(statuses ...run.Status) func(*bundle) {
	return func(b *bundle) {
		b.control.answers["status"] = nil
		for _, status := range statuses {
			b.control.answers["status"] = append(b.control.answers["status"], status)
		}
		b.executions.planned = []bool{false, true}
	}
}

// until is a stack whose execution ends like that once the last of the statuses is there.
func until(end Execution, statuses ...run.Status) func(*bundle) {
	return func(b *bundle) {
		accepts(statuses...)(b)
		for range len(statuses) { // two of them before it is accepted
			b.executions.looks = append(b.executions.looks, Execution{Running: true})
		}
		b.executions.looks = append(b.executions.looks, end)
		// The status that is asked for after the acceptance is looked at once more.
		b.control.answers["status"] = slices.Insert(b.control.answers["status"], 1, b.control.answers["status"][1])
	}
}

// denied is a stack whose planner refuses; the run stays as it is.
func denied(name, cause string, status run.Status) func(*bundle) {
	return func(b *bundle) {
		b.control.answers["status"] = []any{status}
		b.executions.looks = []Execution{{Running: true}, {Error: name, Cause: cause}}
		b.executions.planned = []bool{false}
	}
}

// slow is a stack whose planner is tried again.
func slow(statuses ...run.Status) func(*bundle) {
	return func(b *bundle) {
		accepts(statuses...)(b)
		b.executions.trouble = "connect to database app: connection refused"
		b.executions.planned = append(make([]bool, 2*hesitation), true)
	}
}

func quicker() func(*bundle) {
	return func(b *bundle) {
		accepts(reversible())(b)
		b.executions.lost = ErrExecutionExists
	}
}

// TestAnErrandSendsWhatTheEventsShow, in an execution that is named after the run.
func TestAnErrandSendsWhatTheEventsShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ line, execution string }{
		"resume.json":          {"resume display-name-1", "display-name-1-resume-20261124-120000"},
		"retry.json":           {"retry display-name-1", "display-name-1-retry-20261124-120000"},
		"rollback.json":        {"rollback display-name-1", "display-name-1-rollback-20261124-120000"},
		"verify.json":          {"verify display-name-1", "display-name-1-verify-20261124-120000"},
		"rollback-chunks.json": {"rollback display-name-1 --chunks 3,7-9 --force", "display-name-1-rollback-20261124-120000"},
	} {
		b := setup(t)
		accepts(reversible(), rolling(0))(b)
		if code := b.run(t, strings.Fields(c.line)...); code != 0 {
			t.Errorf("%s: exit code %d: %s", c.line, code, &b.err)
		}
		event, err := os.ReadFile(filepath.Join("..", "..", "events", name))
		if err != nil {
			t.Fatal(err)
		}
		var want, sent any
		if err := json.Unmarshal(event, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(b.executions.started[c.execution]), &sent); err != nil {
			t.Fatalf("%s: started %v: %v", c.line, b.executions.started, err)
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("%s: %s", c.line, diff)
		}
	}
}

// TestTheNameOfAnErrandFits: of a long id a part is left, of what makes the name unique nothing is lost.
func TestTheNameOfAnErrandFits(t *testing.T) {
	t.Parallel()
	for length := 1; length <= 80; length++ {
		id := longID(length)
		got := newErrand(request.Request{Action: request.Rollback, Run: id}, noon).name
		end := "-rollback-20261124-120000"
		if len(got) > 80 || !strings.HasSuffix(got, end) || !strings.HasPrefix(id, strings.TrimSuffix(got, end)) {
			t.Errorf("%d: %s", length, got)
		}
	}
}

// TestNothingIsStartedForARunThatIsNotKnown: the execution would fail.
func TestNothingIsStartedForARunThatIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"resume", "retry", "rollback", "verify"} {
		b := setup(t)
		b.control.answers["status"] = []any{unknownRun()}
		if code := b.run(t, action, "email-1"); code != exitInvalid || len(b.executions.started) > 0 {
			t.Errorf("%s: exit code %d, started %v", action, code, b.executions.started)
		}
	}
}
