package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestCommand drives the stack by bin/backfill, as operators do.
func TestCommand(t *testing.T) {
	t.Parallel()
	c := built(t)
	for name, test := range map[string]func(*testing.T){
		"a run to its end":     c.aRunToItsEnd,
		"cancel":               c.cancel,
		"ctrl-c":               c.ctrlC,
		"a bad definition":     c.aBadDefinition,
		"a table that is held": c.aTableThatIsHeld,
		"not there":            c.notThere,
		"a dry run":            c.aDryRun,
		"rollback":             c.rollback,
		"resume":               c.resume,
		"a row that fails":     c.aRowThatFails,
		"rejected rows":        c.rejectedRows,
		"a failure pauses":     c.aFailureThatPauses,
		"registered":           c.registered,
		"verification":         c.verification,
		"a canary approved":    c.canaryApproved,
		"a canary taken back":  c.canaryTakenBack,
		"report":               c.report,
		"doctor":               c.doctor,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// command is the program that was built.
type command struct{ program string }

// built builds it.
func built(t *testing.T) command {
	t.Helper()
	c := command{program: filepath.Join(t.TempDir(), "backfill")}
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", c.program, "../../cmd/backfill").CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v: %s", err, said)
	}
	return c
}

// said is what a command line came to.
type said struct {
	out, err string
	code     int
}

// run runs a command line.
func (c command) run(t *testing.T, words ...string) said {
	t.Helper()
	return c.in(t, nil, words...)
}

func (c command) in(t *testing.T, environment []string, words ...string) said {
	t.Helper()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c.program, words...)
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &err, append(os.Environ(), environment...)
	failed := cmd.Run()
	var exit *exec.ExitError
	if failed != nil && !errors.As(failed, &exit) {
		t.Fatal(failed)
	}
	if strings.ContainsAny(out.String()+err.String(), "\x1b\r") {
		t.Errorf("%v writes for a terminal: %q %q", words, &out, &err)
	}
	return said{out: out.String(), err: err.String(), code: cmd.ProcessState.ExitCode()}
}

// expect runs a command line and demands its exit code.
func (c command) expect(t *testing.T, code int, words ...string) said {
	t.Helper()
	got := c.run(t, words...)
	if got.code != code {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", words, got.code, code, got.out, got.err)
	}
	return got
}

func write(t *testing.T, definition string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.yaml")
	must(t, os.WriteFile(file, []byte(definition), 0o600))
	return file
}

func statusIn(t *testing.T, text string) run.Status {
	t.Helper()
	var status run.Status
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	must(t, decoder.Decode(&status))
	if decoder.More() {
		t.Fatalf("more than one document: %s", text)
	}
	return status
}

func (c command) aRunToItsEnd(t *testing.T) {
	table, id := unique("command"), unique("run")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 30_000))
	file := write(t, increment(table, 10_000))
	if got := c.expect(t, 0, "validate", file); !strings.Contains(got.out, "public."+table) {
		t.Errorf("validate: %s", got.out)
	}
	got := c.expect(t, 0, "start", "-f", file, "--run", id, "--wait")
	b.expectOnce(t)
	if !strings.Contains(got.out, "run "+id+" is COMPLETED") || !strings.Contains(got.out, "30,000 rows read, 30,000 changed") {
		t.Errorf("start: %s", got.out)
	}
	// The governor looks once more after the end is recorded.
	b.ended(t, strings.Replace(b.outputs["BackfillStateMachineArn"], ":stateMachine:", ":execution:", 1)+":"+id, time.Minute)
	// The same start is the same run; nothing is applied twice.
	again := c.expect(t, 0, "start", "-f", file, "--run", id, "--wait", "-o", "json").out
	b.expectOnce(t)
	status := statusIn(t, c.expect(t, 0, "status", id, "-o", "json").out)
	if status.Run != id || status.State != run.Completed || status.Rows.Affected != 30_000 || status.Chunks.Completed != 3 {
		t.Errorf("status %+v", status)
	}
	before := statusIn(t, again)
	if diff := cmp.Diff(before, status, cmpopts.IgnoreFields(run.Status{}, "Rate", "UpdatedAt")); diff != "" {
		t.Errorf("the second start showed another status: %s", diff)
	}
	if got := c.expect(t, 2, "start", "users-email-normalized", "--run", id); !strings.Contains(got.err, "another input") {
		t.Errorf("start of another backfill: %s", got.err)
	}
	if got := c.expect(t, 0, "list", "--limit", "100"); !strings.Contains(got.out, id) {
		t.Errorf("list: %s", got.out)
	}
	if got := c.expect(t, 0, "watch", id); !strings.Contains(got.out, "COMPLETED") {
		t.Errorf("watch: %s", got.out)
	}
	if got := c.expect(t, 1, "cancel", id); !strings.Contains(got.err, "COMPLETED") {
		t.Errorf("cancel: %s", got.err)
	}
}

// begins starts a run that takes its time.
func (c command) begins(t *testing.T, rows int) (b *bundle, id, file string) {
	t.Helper()
	table := unique("command")
	b = setup(t, table, fmt.Sprintf(counters, quoted(table), rows))
	file, id = write(t, slowly(increment(table, 20_000))), unique("run")
	got := c.expect(t, 0, "start", "-f", file, "--run", id)
	if !strings.Contains(got.out, "watch "+id) {
		t.Errorf("start: %s", got.out)
	}
	return b, id, file
}

func (c command) cancel(t *testing.T) {
	b, id, _ := c.begins(t, 300_000)
	c.expect(t, 0, "cancel", id)
	if got := c.expect(t, 1, "watch", id); !strings.Contains(got.err, "CANCELLED: cancelled by ") {
		t.Errorf("watch: %s", got.err)
	}
	c.expect(t, 0, "cancel", id) // once more is no error
	committed := b.number(t, "SELECT coalesce(sum(affected), 0) FROM backfill.ledger WHERE run = $1", id)
	if changed := b.number(t, "SELECT count(*) FROM "+quoted(b.table)+" WHERE n = id + 1"); changed != committed || changed == 300_000 {
		t.Errorf("%d rows changed, %d counted", changed, committed)
	}
}

// ctrlC: the run does not depend on who watches it.
func (c command) ctrlC(t *testing.T) {
	_, id, file := c.begins(t, 300_000)
	cmd := exec.CommandContext(t.Context(), c.program, "start", "-f", file, "--run", id, "--wait")
	var told bytes.Buffer
	cmd.Stderr = &told
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "RUNNING") {
	}
	must(t, cmd.Process.Signal(syscall.SIGINT))
	for lines.Scan() { // to the end
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(told.String(), "watch "+id+" comes back") {
		t.Errorf("exit code %d: %s", code, &told)
	}
	if status := statusIn(t, c.expect(t, 0, "status", id, "-o", "json").out); status.State.Ended() {
		t.Errorf("run %s is %s", id, status.State)
	}
	c.expect(t, 0, "cancel", id)
	c.expect(t, 1, "watch", id)
}
