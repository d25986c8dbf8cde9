package main

import (
	"errors"
	"strings"
	"testing"

	"backfill/internal/run"
)

// failing are what the checks say that FAILED, by their beginnings.
func failing(checks []check) string {
	var found []string
	for _, c := range checks {
		if c.skipped == "" && !c.ok {
			found = append(found, c.what)
		}
	}
	return strings.Join(found, "; ")
}

func TestADeathIsJudged(t *testing.T) {
	t.Parallel()
	good := death{state: run.Completed, affected: rows, retries: 1, timeouts: 1, deliveries: 1, content: content{once: rows}, known: true}
	for name, c := range map[string]struct {
		change func(*death)
		fails  string
	}{
		"all well":            {func(*death) {}, ""},
		"nobody was killed":   {func(d *death) { d.timeouts = 0 }, "timeout: a worker that cannot leave"},
		"nobody took over":    {func(d *death) { d.retries = 0 }, "timeout: its chunk is done by another"},
		"the run failed":      {func(d *death) { d.state = run.Failed }, "timeout: its chunk is done by another"},
		"rows counted twice":  {func(d *death) { d.affected++ }, "timeout: its chunk is done by another"},
		"no second delivery":  {func(d *death) { d.deliveries = 0 }, "redelivery"},
		"the message is kept": {func(d *death) { d.left = 1 }, "redelivery"},
		"a row changed twice": {func(d *death) { d.content = content{once: rows - 1, wrong: 1} }, "timeout: each row is changed once"},
		"nobody looked":       {func(d *death) { d.content, d.known = content{}, false }, ""},
	} {
		seen := good
		c.change(&seen)
		expect(t, name, failing(judgeDeath(seen)), c.fails)
	}
}

func TestAStopIsJudged(t *testing.T) {
	t.Parallel()
	good := stop{parent: "ABORTED", child: "ABORTED", state: run.Cancelled, affected: 7, content: content{once: 7}, known: true}
	for name, c := range map[string]struct {
		change func(*stop)
		local  bool
		fails  string
	}{
		"all well":                         {func(*stop) {}, false, ""},
		"the execution goes on":            {func(s *stop) { s.parent = "RUNNING" }, false, "stop: the execution is stopped"},
		"the control function stopped it":  {func(s *stop) { s.childError = controlsWord }, false, "stop: Step Functions stops the child"},
		"as LocalStack has it":             {func(s *stop) { s.childError = controlsWord }, true, ""},
		"a child is left":                  {func(s *stop) { s.child = "RUNNING" }, true, "stop: no child is left"},
		"the run was not closed":           {func(s *stop) { s.state = run.Running }, false, "stop: EventBridge tells"},
		"a worker goes on":                 {func(s *stop) { s.leases = 1 }, false, "stop: EventBridge tells"},
		"a row more than counted":          {func(s *stop) { s.content.once = 8 }, false, "stop: what was committed"},
		"it was over before it was halted": {func(s *stop) { s.affected, s.content.once = rows, rows }, false, "stop: what was committed"},
	} {
		seen := good
		c.change(&seen)
		expect(t, name, failing(judgeStop(seen, c.local)), c.fails)
	}
}

func TestACrowdIsJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seen  crowd
		fails string
	}{
		"all well":              {crowd{reserved: 2, ceiling: 2, most: 2, refused: 1, accepted: 3}, ""},
		"the ceiling is higher": {crowd{reserved: 2, ceiling: 4, most: 2, refused: 1}, "concurrency: the ceiling"},
		"one worker too many":   {crowd{reserved: 2, ceiling: 2, most: 3, refused: 1}, "concurrency: the reservation"},
		"it was never full":     {crowd{reserved: 2, ceiling: 2, most: 1, refused: 1}, "concurrency: the reservation"},
		"nobody was refused":    {crowd{reserved: 2, ceiling: 2, most: 2, accepted: 9}, "concurrency: an invocation beyond"},
	} {
		expect(t, name, failing(judgeCrowd(c.seen)), c.fails)
	}
}

func TestARightIsJudged(t *testing.T) {
	t.Parallel()
	expect(t, "both", failing([]check{judgeRight("worker", true, []string{"b", "a"}, []string{"a", "b"})}), "")
	expect(t, "one less", failing([]check{judgeRight("worker", false, []string{"a", "b"}, []string{"a"})}), "IAM: what the role of the worker may not do")
}

// TestTheEndOfASheet: a failure is an exit code, and so is a sheet on which nothing was looked at.
func TestTheEndOfASheet(t *testing.T) {
	t.Parallel()
	good, skipped := check{what: "one", ok: true}, check{what: "two", skipped: "no AWS"}
	for name, c := range map[string]struct {
		checks []check
		code   int
		says   string
	}{
		"well":     {[]check{good, skipped}, 0, "ok: one: expected ; found \nnot checked here: two: no AWS\n1 ok, 0 failed, 1 not checked here\n"},
		"a fault":  {[]check{good, broken("three", errors.New("no\nanswer"))}, 1, "FAILED: three: expected an answer; found no answer\n"},
		"nothing":  {[]check{skipped}, 1, "0 ok, 0 failed, 1 not checked here\n"},
		"no check": {nil, 1, "0 ok"},
	} {
		var out strings.Builder
		s := &sheet{out: &out}
		s.add(c.checks...)
		if code := s.end(); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: code %d, and it says %q", name, code, out.String())
		}
	}
}

// TestATimeoutIsKnown in both forms of Lambda's log.
func TestATimeoutIsKnown(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"2026-11-28T02:14:00Z 1b Task timed out after 10.00 seconds":                   true,
		`{"type":"platform.report","record":{"requestId":"1b","status":"timeout"}}`:    true,
		`{"type":"platform.report","record":{"requestId":"1b","status":"success"}}`:    false,
		`{"level":"INFO","message":"delivery without work","run":"timeout","chunk":1}`: false,
	} {
		if isTimeout(line) != want {
			t.Errorf("%s: %t", line, !want)
		}
	}
}

func expect(t *testing.T, name, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, want) || want == "" && got != "" || strings.Contains(got, ";") {
		t.Errorf("%s: %q fails, want %q", name, got, want)
	}
}
