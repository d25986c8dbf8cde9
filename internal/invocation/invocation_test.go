package invocation_test

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	e := start(t, "well")
	var out output
	for range 2 {
		if err := json.Unmarshal([]byte(e.call(`{}`).Body), &out); err != nil {
			t.Fatal(err)
		}
	}
	if out.Alias != "read" {
		t.Errorf("invoked by alias %q, want read", out.Alias)
	}
	if out.Remaining > 58*time.Second || out.Remaining < 50*time.Second {
		t.Errorf("%s left of a minute, want 2 s less", out.Remaining)
	}
	if out.Setups != 1 {
		t.Errorf("%d setups for two invocations", out.Setups)
	}
}

func TestErrorsLeaveWithTheirClass(t *testing.T) {
	t.Parallel()
	e := start(t, "well")
	for payload, want := range map[string]answer{
		`{"Want":"busy"}`:        {Type: "Backfill.Busy", Message: "begin run r: run q works on the table"},
		`{"Want":"lease lost"}`:  {Type: "Backfill.Permanent", Message: "internal"},
		`{"Want":"unclassed"}`:   {Type: "Backfill.Permanent", Message: "nobody expected this"},
		`{"Want":"out of time"}`: {Type: "Backfill.Transient", Message: "walk: context deadline exceeded"},
		`{"Want":1}`:             {Type: "Backfill.Invalid", Message: "read the function's input: json: cannot unmarshal number into Go struct field input.Want of type string"},
	} {
		got := e.call(payload)
		if got.Type != want.Type || got.Message != want.Message {
			t.Errorf("%s: got %s: %s", payload, got.Type, got.Message)
		}
	}
	if log := e.exited(); !strings.Contains(log, `"message":"the invocation failed","function":"well","class":"Backfill.Busy"`) ||
		!strings.Contains(log, `"requestId":"request-1"`) {
		t.Errorf("the log lacks the failure, the function or the request:\n%s", log)
	}
}

func TestWrongSettingsAreAnAnswerAndTriedAgain(t *testing.T) {
	t.Parallel()
	e := start(t, "wrong settings")
	for _, want := range []string{"TABLE_NAME is not set (setup 1)", "TABLE_NAME is not set (setup 2)"} {
		if got := e.call(`{}`); got.Type != "Backfill.Invalid" || got.Message != want {
			t.Errorf("got %s: %s, want %s", got.Type, got.Message, want)
		}
	}
}

func TestPanicIsAnsweredAndEndsTheProcess(t *testing.T) {
	t.Parallel()
	for want, shown := range map[string]string{
		"nil pointer": "runtime error: invalid memory address or nil pointer dereference",
		"panic":       "(string)",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			e := start(t, "well")
			got := e.call(`{"Want":"` + want + `"}`)
			if got.Type != "Backfill.Permanent" || !strings.Contains(got.Message, shown) {
				t.Errorf("got %s: %s", got.Type, got.Message)
			}
			if err := e.process.Wait(); err == nil {
				t.Error("the process goes on after a panic")
			}
			if log := e.log.String(); !strings.Contains(log, "functions_test.go") || strings.Contains(log, "value of a row") {
				t.Errorf("the log lacks the stack, or shows what was thrown:\n%s", log)
			}
		})
	}
}

func TestTerminationEndsTheInvocationThenCloses(t *testing.T) {
	t.Parallel()
	e := start(t, "closing")
	e.begin(`{}`)
	e.await("the invocation waits")
	_ = e.process.Process.Signal(syscall.SIGTERM)
	e.await("closed, invocation ended: true")
	e.end()
}
