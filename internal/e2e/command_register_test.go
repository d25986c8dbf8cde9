package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// registered: a definition is registered by its alias, started by its name, and by an older version.
func (c command) registered(t *testing.T) {
	table := unique("command")
	b := setup(t, table, fmt.Sprintf("CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint, m bigint); "+
		"INSERT INTO %[1]s SELECT g, g FROM generate_series(1, 1000) g; ANALYZE %[1]s", quoted(table)))
	name := strings.ReplaceAll(table, "_", "-")
	first := fmt.Sprintf("name: %s\ntable: %s\nset: {m: n + 1}\n", name, table)
	c.expect(t, 0, "register", write(t, first))
	if got := c.expect(t, 0, "register", write(t, first)); !strings.Contains(got.out, "registered already") {
		t.Errorf("again: %s", got.out)
	}
	c.expect(t, 0, "register", write(t, strings.Replace(first, "n + 1", "n + 2", 1)))
	if got := c.expect(t, 0, "definitions"); !strings.Contains(got.out, name) {
		t.Errorf("definitions: %s", got.out)
	}
	if got := c.expect(t, 0, "definitions", name, "--version", "1"); !strings.Contains(got.out, "m: n + 1") {
		t.Errorf("the first version: %s", got.out)
	}
	after := write(t, fmt.Sprintf("name: %s-after\ntable: %s\nset: {n: n + 1}\nwhere: m > 0\ndepends_on: %s\n", name, table, name))
	if got := c.expect(t, 2, "start", "-f", after, "--run", name+"-early"); !strings.Contains(got.err, name+" is not done: no run of it has begun") {
		t.Errorf("too early: %s", got.err)
	}
	c.expect(t, 0, "start", name+"@1", "--run", name+"-1", "--wait")
	if got := c.expect(t, 0, "status", name+"-1"); !strings.Contains(got.out, name+"@1") {
		t.Errorf("status: %s", got.out)
	}
	if left := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE m IS DISTINCT FROM n + 1"); left != 0 {
		t.Errorf("%d rows are not as the first version says", left)
	}
	c.expect(t, 0, "start", name, "--run", name+"-2", "--wait")
	if got := c.expect(t, 0, "status", name+"-2"); !strings.Contains(got.out, name+"@2") {
		t.Errorf("status: %s", got.out)
	}
	if left := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE m IS DISTINCT FROM n + 2"); left != 0 {
		t.Errorf("%d rows are not as the second version says", left)
	}
	c.expect(t, 2, "start", name+"@3", "--run", name+"-3")
	c.expect(t, 0, "start", "-f", after, "--run", name+"-after", "--wait")
}

// TestTheRightToRegister: the function itself does not serve it, nor does its alias for looking.
func TestTheRightToRegister(t *testing.T) {
	t.Parallel()
	s, err := deployed()
	must(t, err)
	for _, function := range []string{s.outputs["ControlFunctionName"], s.outputs["ControlReadFunctionArn"]} {
		answer, err := s.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function,
			Payload: []byte(`{"action":"register","definition":"name: a\ntable: users\nset: {a: b}\n"}`)})
		must(t, err)
		if aws.ToString(answer.FunctionError) == "" || !strings.Contains(string(answer.Payload), "Backfill.Invalid") {
			t.Errorf("%s answers %s", function, answer.Payload)
		}
	}
}
