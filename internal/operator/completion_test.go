package operator

import (
	"errors"
	"strings"
	"testing"

	"backfill/internal/run"
)

// TestEachCommandHasAnExample that begins with its name.
func TestEachCommandHasAnExample(t *testing.T) {
	t.Parallel()
	for _, command := range Root().Commands() {
		if !strings.Contains(command.Example, "  backfill "+command.Name()) {
			t.Errorf("%s: %q", command.Name(), command.Example)
		}
	}
}

// TestWhatTheShellOffers for a word that was begun; errors are offered to nobody.
func TestWhatTheShellOffers(t *testing.T) {
	t.Parallel()
	catalogue := map[string]any{"definitions": []known{{Name: "orders-cents", Description: "Fills\ttotal_cents."}, {Name: "users"}}}
	for line, want := range map[string]string{
		"status ":                 "email-1\tRUNNING, users-email-normalized on public.users\n:36",
		"rollback e":              "email-1\tRUNNING, users-email-normalized on public.users\n:36",
		"rollback x":              ":36",
		"status email-1 ":         ":4",
		"start o":                 "orders-cents\tFills total_cents.\n:0",
		"validate ":               "orders-cents\tFills total_cents.\nusers\n:0",
		"definitions u":           "users\n:4",
		"list -o ":                "text\njson\n:4",
		"start -f ":               "yaml\nyml\n:8",
		"register ":               "yaml\nyml\n:8",
		"chunks email-1 --state ": "pending\nprocessing\ncompleted\nfailed\nrolled_back\n:4",
		"start --canary ":         ":4",
		"new --folder ":           ":16",
		"completion ":             "bash\tGenerate the autocompletion script for bash\nfish\tGenerate the autocompletion script for fish\npowershell\tGenerate the autocompletion script for powershell\nzsh\tGenerate the autocompletion script for zsh\n:4",
		"status --stack prod em":  "email-1\tRUNNING, users-email-normalized on public.users\n:36",
	} {
		b := setup(t)
		b.control.answers = map[string][]any{"list": {map[string]any{"runs": []run.Status{working()}}}, "definitions": {catalogue}}
		if code := b.run(t, append([]string{"__complete"}, strings.Split(line, " ")...)...); code != 0 || strings.TrimSpace(b.out.String()) != want {
			t.Errorf("%q: exit code %d, %q, want %q", line, code, b.out.String(), want)
		}
		if strings.Contains(line, "prod") && b.at.Stack != "prod" {
			t.Errorf("stack %q was asked", b.at.Stack)
		}
		b = setup(t)
		b.connected = errors.New("not there")
		if code := b.run(t, append([]string{"__complete"}, strings.Split(line, " ")...)...); code != 0 || strings.Contains(b.out.String(), "not there") {
			t.Errorf("%q: exit code %d, %q", line, code, b.out.String())
		}
	}
}

// TestEachShellHasAScript.
func TestEachShellHasAScript(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if b := setup(t); b.run(t, "completion", shell) != 0 || !strings.Contains(b.out.String(), "backfill") {
			t.Errorf("%s: %s%s", shell, &b.out, &b.err)
		}
	}
}
