package operator

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

// TestCtrlCLeavesTheRunAlone and says how to come back.
func TestCtrlCLeavesTheRunAlone(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"watch email-1": "backfill watch email-1 comes back",
		"start users-email-normalized --run email-1 --wait": "backfill watch email-1 comes back",
		"start users-slow --run email-1":                    "the same start with --run email-1 comes back",
		"resume email-1":                                    "stopped waiting; the resume of run email-1 goes on",
		"rollback email-1 --wait":                           "backfill watch email-1 comes back",
	} {
		b := setup(t)
		b.control.answers["status"] = []any{working()}
		if strings.Contains(line, "slow") {
			b.control.answers["status"] = []any{unknownRun()}
		}
		if strings.Contains(line, "resume") {
			b.executions.planned = []bool{false}
		}
		ctx, cancel := context.WithCancel(t.Context())
		b.Rest = func(context.Context, time.Duration) bool {
			cancel()
			return false
		}
		b.Args = strings.Fields(line)
		if code := Run(ctx, b.World); code != exitInterrupted || !strings.Contains(b.err.String(), want) {
			t.Errorf("%s: exit code %d: %s", line, code, &b.err)
		}
		if slices.ContainsFunc(b.control.asked, func(asked string) bool { return strings.HasPrefix(asked, "act") }) {
			t.Errorf("%s: %v", line, b.control.asked)
		}
	}
}

// TestNoColour: https://no-color.org
func TestNoColour(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		b := setup(t)
		b.columns = 100
		b.Getenv = func(name string) string { return map[string]string{variable: value}[name] }
		b.control.answers["status"] = []any{after(run.Completed, "")}
		if code := b.run(t, "status", "email-1"); code != 0 || strings.Contains(b.out.String(), "\x1b") {
			t.Errorf("%s=%s: exit code %d: %q", variable, value, code, &b.out)
		}
	}
}

// TestADumbTerminalGetsLines: it knows no cursor.
func TestADumbTerminalGetsLines(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.columns = 100
	b.Getenv = func(name string) string { return map[string]string{"TERM": "dumb"}[name] }
	b.control.answers["status"] = []any{working(), after(run.Completed, "")}
	if code := b.run(t, "watch", "email-1"); code != 0 || strings.ContainsAny(b.out.String(), "\x1b\r") {
		t.Errorf("exit code %d: %q", code, &b.out)
	}
}

// TestALongRunIsLookedAtLessOften: one call to AWS a second, of which a look makes two, or three where it asks for the execution.
func TestALongRunIsLookedAtLessOften(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		words []string
		pause time.Duration
	}{
		"a run":      {[]string{"watch", "email-1"}, 2 * time.Second},
		"a rollback": {[]string{"rollback", "email-1", "--wait"}, 3 * time.Second},
	} {
		b := setup(t)
		const looks = 100
		answers("status", append(slices.Repeat([]any{working()}, looks), after(run.RolledBack, ""))...)(b)
		if name == "a rollback" {
			statuses := append([]run.Status{reversible()}, slices.Repeat([]run.Status{rolling(1)}, looks)...)
			until(Execution{}, append(statuses, rolledBack())...)(b)
		}
		var last, least time.Duration
		rest := b.Rest
		b.Rest = func(ctx context.Context, pause time.Duration) bool {
			if b.Now().Sub(noon) < lasting-time.Second {
				least = max(least, pause)
			}
			last = pause
			return rest(ctx, pause)
		}
		if code := b.run(t, c.words...); code != 0 || least != time.Second || last != c.pause {
			t.Errorf("%s: exit code %d, a look every %s at first, and every %s later: %s", name, code, least, last, &b.err)
		}
	}
}

// TestAWatcherGivesUp where the stack is gone for good, with a code that is not the run's.
func TestAWatcherGivesUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone := classed("Sandbox.Timedout", "gone")
	b.control.answers["status"] = []any{working(), gone}
	if code := b.run(t, "watch", "email-1"); code != exitUnreachable || len(b.control.asked) != misses+2 {
		t.Errorf("exit code %d after %d looks: %s", code, len(b.control.asked), &b.err)
	}
}
