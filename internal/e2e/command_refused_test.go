package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// aBadDefinition: all problems at once, each on a line that an editor can follow.
func (c command) aBadDefinition(t *testing.T) {
	table := unique("command")
	setup(t, table, fmt.Sprintf(counters, quoted(table), 10))
	file := write(t, fmt.Sprintf("name: bad\ntable: %s\nset:\n  m: n +\n  id: id + 1\nwhere: k > 1\n", table))
	for _, words := range [][]string{{"validate", file}, {"start", "-f", file}} {
		got := c.expect(t, 2, words...)
		for _, line := range []string{":4:", ":5:", ":6:"} {
			if !strings.Contains(got.err, "\n"+file+line) {
				t.Errorf("%v does not tell of %s: %s", words, line, got.err)
			}
		}
	}
	var answer struct {
		Error struct {
			Class    string
			Problems []string
		}
	}
	must(t, json.Unmarshal([]byte(c.expect(t, 2, "validate", file, "-o", "json").out), &answer))
	if answer.Error.Class != "Backfill.Invalid" || len(answer.Error.Problems) < 3 {
		t.Errorf("%+v", answer)
	}
}

func (c command) aTableThatIsHeld(t *testing.T) {
	_, id, file := c.begins(t, 300_000)
	if got := c.expect(t, 1, "start", "-f", file); !strings.Contains(got.err, "run "+id+" holds table") {
		t.Errorf("a second start: %s", got.err)
	}
	// A definition that says so is passed over: its execution is no failure, and there is no run.
	other := unique("run")
	text, err := os.ReadFile(file)
	must(t, err)
	got := c.expect(t, 1, "start", "-f", write(t, string(text)+"overlap: skip\n"), "--run", other, "--wait")
	if !strings.Contains(got.err, "was skipped") || !strings.Contains(got.err, "run "+id+" holds table") {
		t.Errorf("a start that is passed over: %s", got.err)
	}
	b, err := deployed()
	must(t, err)
	execution := strings.Replace(b.outputs["BackfillStateMachineArn"], ":stateMachine:", ":execution:", 1) + ":" + other
	described, err := b.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if must(t, err); described.Status != sfntypes.ExecutionStatusSucceeded {
		t.Errorf("its execution is %s", described.Status)
	}
	c.expect(t, 0, "cancel", id)
	c.expect(t, 1, "watch", id)
}

func (c command) notThere(t *testing.T) {
	_, err := deployed()
	must(t, err)
	for _, words := range [][]string{{"status", "no-such-run"}, {"watch", "no-such-run"}, {"cancel", "no-such-run"},
		{"resume", "no-such-run"}, {"rollback", "no-such-run"}, {"conflicts", "no-such-run"}, {"rebuild", "no-such-run"}} {
		if got := c.expect(t, 2, words...); !strings.Contains(got.err, "list shows the runs") {
			t.Errorf("%v: %s", words, got.err)
		}
	}
	c.expect(t, 2, "status", "no-such-run") // nor did a resume or a rollback make a record of it
	c.expect(t, 2, "start", "no-such-backfill")
	c.expect(t, 2, "list", "--limit", "1000")
	c.expect(t, 2, "no-such-command")
	c.expect(t, 3, "list", "--stack", "no-such-stack")
	got := c.in(t, []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}, "list", "-o", "json")
	if got.code != 3 || !strings.Contains(got.err, "cannot reach http://127.0.0.1:1") || !json.Valid([]byte(got.out)) {
		t.Errorf("exit code %d: %s%s", got.code, got.out, got.err)
	}
}
