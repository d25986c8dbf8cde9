package template_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/run"
	"backfill/internal/turn"
)

// machines are the definitions by the logical id of their state machine.
var machines = map[string]string{
	"BackfillStateMachine": "infra/statemachine/backfill.asl.json",
	"SegmentStateMachine":  "infra/statemachine/segment.asl.json",
}

// closing is what a segment answers when its run has to be closed. No function answers with it.
const closing = "close"

// eachState visits the states of both machines.
func eachState(t *testing.T, visit func(machine node, name string, state node)) {
	t.Helper()
	for _, definition := range machines {
		machine := jsonFile(t, definition)
		for name, state := range machine.at("States").each() {
			visit(machine, name, state)
		}
	}
}

func isTask(state node) bool { return state.at("Type").text() == "Task" }

// invokes tells whether the state is a task that calls a function of ours, be it to wait afterwards.
func invokes(state node) bool {
	return isTask(state) && strings.HasSuffix(strings.TrimSuffix(state.at("Resource").text(), callback), ":lambda:invoke")
}

// callback is the end of a task's resource that waits until somebody wakes it.
const callback = ".waitForTaskToken"

// retried lists the error names that a task tries again.
func retried(state node) []string {
	var names []string
	for _, retrier := range state.at("Retry").each() {
		names = append(names, retrier.at("ErrorEquals").texts()...)
	}
	return names
}

func TestNamesOfErrorsAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	known := []string{failure.RunFailed, failure.RunCancelled}
	for _, class := range failure.Leaves() {
		known = append(known, string(class))
	}
	var used []string
	for _, definition := range machines {
		for _, name := range regexp.MustCompile(`"Backfill\.\w+"`).FindAllString(string(file(t, definition)), -1) {
			used = append(used, strings.Trim(name, `"`))
		}
	}
	for _, name := range used {
		if !slices.Contains(known, name) {
			t.Errorf("the state machines match on %s, which nothing gives", name)
		}
	}
	for _, name := range []string{failure.RunFailed, failure.RunCancelled} {
		if !slices.Contains(used, name) {
			t.Errorf("no state ends with %s", name)
		}
	}
}

// TestEveryClassThatLeavesIsHandled: what may pass is tried again, all else ends in a recorded run at once.
func TestEveryClassThatLeavesIsHandled(t *testing.T) {
	t.Parallel()
	waits := map[failure.Class]bool{failure.Transient: true, failure.Unknown: true}
	eachState(t, func(_ node, name string, state node) {
		if !invokes(state) {
			return
		}
		for _, class := range failure.Leaves() {
			if again := slices.Contains(retried(state), string(class)); again != waits[class] {
				t.Errorf("%s: %s is tried again: %t, want %t", name, class, again, waits[class])
			}
		}
		for _, lambda := range []string{"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
			"Lambda.TooManyRequestsException", "Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"} {
			if over := lambda == "States.Timeout" && pauses(state); !over && !slices.Contains(retried(state), lambda) {
				t.Errorf("%s does not try again after %s", name, lambda)
			}
		}
	})
}

func TestEveryTaskIsBoundedRetriedAndCaught(t *testing.T) {
	t.Parallel()
	eachState(t, func(_ node, name string, state node) {
		if !isTask(state) {
			return
		}
		if pauses(state) {
			checkPause(t, name, state)
		} else if state.at("TimeoutSeconds").number() <= 0 {
			t.Errorf("%s has no timeout", name)
		}
		for _, retrier := range state.at("Retry").each() {
			if retrier.at("JitterStrategy").text() != "FULL" || retrier.at("MaxDelaySeconds").number() > 120 || retrier.at("MaxAttempts").number() == 0 {
				t.Errorf("%s: a retry without jitter, limit or number: %v", name, retrier.value)
			}
		}
		catchers := state.at("Catch").each()
		last := catchers[itoa(len(catchers)-1)]
		if !pauses(state) && len(catchers) != 1 || !slices.Equal(last.at("ErrorEquals").texts(), []string{"States.ALL"}) {
			t.Errorf("%s does not catch everything", name)
		}
	})
}

// pauses tells whether the state is a task that waits until somebody wakes it.
func pauses(state node) bool {
	return isTask(state) && strings.HasSuffix(state.at("Resource").text(), callback)
}

// checkPause: a pause whose time is over is looked at by a beat, at once. It waits no longer than the governor says.
func checkPause(t *testing.T, name string, state node) {
	t.Helper()
	first := state.at("Catch").each()["0"]
	if !slices.Equal(first.at("ErrorEquals").texts(), []string{"States.Timeout"}) || first.at("Next").text() != state.at("Next").text() {
		t.Errorf("%s: the end of its time leads to %v", name, first.value)
	}
	if path := state.at("TimeoutSecondsPath").text(); path != "$.wait" {
		t.Errorf("%s waits for %s", name, path)
	}
	encoded, err := json.Marshal(turn.Turn{Next: turn.Pause, Wait: 7})
	if err != nil || !strings.Contains(string(encoded), `"wait":7`) {
		t.Errorf("the governor tells %s, %v", encoded, err)
	}
}

func TestNextAndStateAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	nexts := []string{string(turn.Plan), string(turn.Beat), string(turn.Segment), string(turn.Pause), string(turn.End), string(turn.Dry), string(turn.Skip)}
	seen := map[string]bool{}
	eachState(t, func(_ node, name string, state node) {
		if state.at("Type").text() != "Choice" {
			return
		}
		for _, rule := range state.at("Choices").each() {
			if _, isPattern := rule.get("StringMatches"); isPattern {
				continue
			}
			if both, ok := rule.get("And"); ok { // the second is whether there is something to tell
				if present := both.each()["1"]; present.at("Variable").text() != "$.notice" || present.at("IsPresent").value != true {
					t.Errorf("%s chooses on %v", name, both.value)
				}
				rule = both.each()["0"]
			}
			value := rule.at("StringEquals").text()
			switch variable := rule.at("Variable").text(); {
			case variable == "$.next" && slices.Contains(nexts, value):
				seen[value] = true
			case variable == "$.state" && slices.Contains(run.States(), run.State(value)):
			default:
				t.Errorf("%s chooses on %s = %s, which nothing answers", name, variable, value)
			}
		}
	})
	if len(seen) != len(nexts) {
		t.Errorf("the state machines know %v of %v", slices.Sorted(maps.Keys(seen)), nexts)
	}
	broken := jsonFile(t, machines["SegmentStateMachine"]).at("States", "Broken", "Parameters", "next").text()
	if broken != closing || slices.Contains(nexts, closing) {
		t.Errorf("a segment that is broken answers next %q", broken)
	}
}

// TestPeopleAreToldInTheWordsOfTheCode: all but the one that tells that nothing could be closed.
func TestPeopleAreToldInTheWordsOfTheCode(t *testing.T) {
	t.Parallel()
	told := map[string]string{}
	eachState(t, func(_ node, name string, state node) {
		if isTask(state) && strings.HasSuffix(state.at("Resource").text(), ":sns:publish") {
			told[name] = state.at("Parameters", "Message.$").text()
			if to := state.at("Parameters", "TopicArn").text(); to != "${TopicArn}" {
				t.Errorf("%s sends to %s", name, to)
			}
		}
	})
	encoded, err := json.Marshal(turn.Turn{Notice: "x"})
	if err != nil || !strings.Contains(string(encoded), `"notice":"x"`) {
		t.Errorf("the governor tells %s, %v", encoded, err)
	}
	want := map[string]string{"NotifyPaused": "$.notice", "NotifyCompleted": "$.notice", "NotifyRolledBack": "$.notice", "NotifyCancelled": "$.notice",
		"NotifyFailed": "$.notice", "NotifyClosed": "$.closed.notice"}
	unclosed := told["NotifyUnclosed"]
	delete(told, "NotifyUnclosed")
	if !maps.Equal(told, want) || !strings.Contains(unclosed, "backfill cancel RUN") {
		t.Errorf("people are told %v, and %q", told, unclosed)
	}
}

func TestEveryStateIsReachedAndExists(t *testing.T) {
	t.Parallel()
	for _, definition := range machines {
		machine := jsonFile(t, definition)
		states := machine.at("States").each()
		reached := map[string]bool{}
		var follow func(name string)
		follow = func(name string) {
			state, ok := states[name]
			if !ok {
				t.Fatalf("%s has no state %s", definition, name)
			}
			if reached[name] {
				return
			}
			reached[name] = true
			state.everywhere(func(part node) {
				for _, way := range []string{"Next", "Default"} {
					if next, ok := part.get(way); ok {
						follow(next.text())
					}
				}
			})
		}
		follow(machine.at("StartAt").text())
		if len(reached) != len(states) {
			t.Errorf("%s: %d of %d states are reached", definition, len(reached), len(states))
		}
	}
}
