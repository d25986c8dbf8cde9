package notice_test

import (
	"regexp"
	"strings"
	"testing"

	"backfill/internal/notice"
	"backfill/internal/run"
)

func status(state run.State, change func(*run.Status)) run.Status {
	s := run.Status{Run: "email-1", Backfill: "users-email", Table: "public.users", Action: "start", State: state, Reason: "because", Rows: run.Rows{Scanned: 12_000, Affected: 9}}
	if change != nil {
		change(&s)
	}
	return s
}

func pausedFor(what run.For) func(*run.Status) {
	return func(s *run.Status) { s.Pause = &run.Pause{By: "ann@laptop", For: what} }
}

// TestANoticeSaysWhatToDo: the run, its definition, the state, the reason, and commands that name it.
func TestANoticeSaysWhatToDo(t *testing.T) {
	t.Parallel()
	verifies := func(s *run.Status) { s.Action = "verify" }
	for name, c := range map[string]struct {
		status   run.Status
		says     string
		commands string
	}{
		"completed":            {status(run.Completed, nil), "has COMPLETED.", "status verify rollback"},
		"failed":               {status(run.Failed, nil), "has FAILED;", "status resume retry rollback"},
		"cancelled":            {status(run.Cancelled, nil), "was CANCELLED;", "resume rollback status"},
		"rolled back":          {status(run.RolledBack, nil), "is ROLLED_BACK.", "conflicts"},
		"paused by somebody":   {status(run.Paused, pausedFor(run.ForRun)), "is PAUSED, by ann@laptop.", "resume cancel"},
		"paused with all":      {status(run.Paused, pausedFor(run.ForAll)), "as all runs are, by ann@laptop.", "resume"},
		"paused for a failure": {status(run.Paused, pausedFor(run.ForFailure)), "since a chunk failed.", "chunks resume cancel"},
		"paused for a canary":  {status(run.Paused, pausedFor(run.ForCanary)), "waits for an approval.", "status approve rollback"},
		"verified":             {status(run.Completed, verifies), "was verified, and holds.", "certificate"},
		"does not hold": {status(run.Failed, func(s *run.Status) { verifies(s); s.Certificate = &run.Certificate{} }), "does not hold: FAILED.",
			"certificate"},
		"verification ended": {status(run.Cancelled, verifies), "COMPLETED as before; its verification is CANCELLED.", "verify"},
	} {
		said := notice.Of(c.status)
		for _, want := range []string{"Run email-1 (users-email, table public.users) ", c.says, "\nReason: because\n", "\nRows: 12,000 looked at, 9 written\n", "\nNext: "} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, said)
			}
		}
		var commands []string
		for _, match := range regexp.MustCompile("`backfill (\\w+) (email-1|--all)").FindAllStringSubmatch(said, -1) {
			commands = append(commands, match[1])
		}
		if got := strings.Join(commands, " "); got != c.commands {
			t.Errorf("%s: the commands are %q, want %q", name, got, c.commands)
		}
	}
}

// TestNobodyIsToldOfWhatGoesOnByItself.
func TestNobodyIsToldOfWhatGoesOnByItself(t *testing.T) {
	t.Parallel()
	for _, state := range run.States() {
		if said := notice.Of(status(state, nil)); (said == "") != (!state.Ended() && !state.Pauses()) {
			t.Errorf("%s: %q", state, said)
		}
	}
	if said := notice.Of(status(run.Paused, pausedFor(run.ForWindow))); said != "" {
		t.Errorf("of a window: %q", said)
	}
}
