package operator

import (
	"errors"
	"os"
	"regexp"
	"slices"
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

// TestThePagesNameEachCommand: docs/operate.md has all of them, and each that a page gives in the first column of its table is one.
func TestThePagesNameEachCommand(t *testing.T) {
	t.Parallel()
	shell := []string{"completion", "bash", "zsh", "fish"} // made by the library when the command runs, with its arguments
	commands := map[string]bool{}
	for _, command := range Root().Commands() {
		commands[command.Name()] = true
	}
	named := map[string]map[string]bool{}
	for _, page := range []string{"README.md", "docs/operate.md"} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		named[page] = map[string]bool{}
		_, rest, _ := strings.Cut(string(text), "| `bin/backfill` | |\n")
		rows, _, _ := strings.Cut(rest, "\n\n")
		for row := range strings.Lines(rows) {
			for _, word := range regexp.MustCompile("`([a-z]{3,})[^`]*`").FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
				named[page][word[1]] = true
				if !commands[word[1]] && !slices.Contains(shell, word[1]) {
					t.Errorf("%s names %s, which is no command", page, word[1])
				}
			}
		}
	}
	for command := range commands {
		if command != "version" && !named["docs/operate.md"][command] {
			t.Errorf("docs/operate.md does not name %s", command)
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
