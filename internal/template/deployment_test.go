package template_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backfill/internal/turn"
)

// historyLimit is where Step Functions ends an execution, whatever it does.
const historyLimit = 25_000

func resource(t testing.TB, logicalID string) node {
	t.Helper()
	return template(t).at("Resources", logicalID, "Properties")
}

func parameter(t testing.TB, name string) node {
	t.Helper()
	return template(t).at("Parameters", name)
}

// TestSubstitutions: each ${Name} of a definition is given, and nothing else.
func TestSubstitutions(t *testing.T) {
	t.Parallel()
	for logicalID, definition := range machines {
		machine := resource(t, logicalID)
		if got := machine.at("DefinitionUri").text(); got != definition {
			t.Errorf("%s is defined by %s", logicalID, got)
		}
		used := map[string]bool{}
		for _, match := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(file(t, definition)), -1) {
			used[match[1]] = true
		}
		given := machine.at("DefinitionSubstitutions").each()
		if got, want := slices.Sorted(maps.Keys(given)), slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
			t.Errorf("%s is given %v and uses %v", logicalID, got, want)
		}
	}
}

// TestTasksOutlastTheirFunctions: a task that gives up first would start a second invocation beside the first.
func TestTasksOutlastTheirFunctions(t *testing.T) {
	t.Parallel()
	eachState(t, func(_ node, name string, state node) {
		if !invokes(state) {
			return
		}
		logicalID := strings.TrimSuffix(strings.Trim(state.at("Parameters", "FunctionName").text(), "${}"), "Arn") + "Function"
		if pauses(state) { // its time is that of the pause
			return
		}
		task, function := state.at("TimeoutSeconds").number(), resource(t, logicalID).at("Timeout").number()
		if task <= function {
			t.Errorf("%s waits %d s for %s, which may take %d s", name, task, logicalID, function)
		}
	})
}

// TestSegmentStaysBelowTheHistoryLimit counts the events of the worst segment: every beat asks for a plan, and both
// use up their retries.
func TestSegmentStaysBelowTheHistoryLimit(t *testing.T) {
	t.Parallel()
	states := jsonFile(t, machines["SegmentStateMachine"]).at("States")
	const task, again, choice, frame = 5, 3, 2, 10 // entered, scheduled, started, succeeded, exited; per retry; choice; start and end
	events := func(name string) int {
		return task + again*states.at(name, "Retry").each()["0"].at("MaxAttempts").number() + choice
	}
	beats := parameter(t, "SegmentBeats").at("MaxValue").number()
	if most := beats*(events("Beat")+events("Plan")) + frame; most >= historyLimit {
		t.Errorf("a segment of %d beats may have %d events", beats, most)
	}
	if next := states.at("AfterPlan", "Default").text(); next != "Beat" {
		t.Errorf("after a plan comes %s: plans are not bounded by the budget of beats", next)
	}
}

// TestAYearOfPausesFitsIntoAHistory: a pause each day, and each of them with trouble, until the execution itself is over. A
// paused run makes no events.
func TestAYearOfPausesFitsIntoAHistory(t *testing.T) {
	t.Parallel()
	states := jsonFile(t, machines["BackfillStateMachine"]).at("States")
	const task, again, choice = 5, 3, 2
	round := choice
	for _, name := range []string{"Segment", "Paused"} {
		round += task + again*states.at(name, "Retry").each()["0"].at("MaxAttempts").number()
	}
	// Of those that are notified fifty are thought of: a window shuts each day, and people or failures do not.
	notified := 50 * (task + again*states.at("NotifyPaused", "Retry").each()["0"].at("MaxAttempts").number())
	if most := 365*round + notified; most >= historyLimit {
		t.Errorf("a year of pauses may have %d events", most)
	}
	paused := states.at("Paused")
	if _, beats := paused.get("HeartbeatSeconds"); beats || !pauses(paused) {
		t.Errorf("a paused run has to give signs of life: %v", paused.value)
	}
	if turn.Longest != 365*24*60*60 {
		t.Errorf("a pause ends by itself after %d s", turn.Longest)
	}
	token := paused.at("Parameters", "Payload", "token.$").text()
	if token != "$$.Task.Token" || paused.at("Next").text() != "Segment" {
		t.Errorf("the pause hands out %s and leads to %s", token, paused.at("Next").text())
	}
	if way := jsonFile(t, machines["SegmentStateMachine"]).at("States", "AfterBeat", "Choices").each(); way["3"].at("Next").text() != "Done" {
		t.Errorf("a segment goes on while its run is paused: %v", way["3"].value)
	}
}

// TestSegmentEndsBeforeItsParentGivesUp: the parent replaces a segment only when it is dead.
func TestSegmentEndsBeforeItsParentGivesUp(t *testing.T) {
	t.Parallel()
	child := jsonFile(t, machines["SegmentStateMachine"]).at("TimeoutSeconds").number()
	parent := jsonFile(t, machines["BackfillStateMachine"]).at("States", "Segment", "TimeoutSeconds").number()
	if parent <= child {
		t.Errorf("the parent waits %d s for a child of at most %d s", parent, child)
	}
	longest := parameter(t, "SegmentBeats").at("MaxValue").number() * parameter(t, "BeatSeconds").at("MaxValue").number()
	if child < 2*longest {
		t.Errorf("a segment may take %d s, and its beats alone %d s", child, longest)
	}
}

func TestQueueAndWorker(t *testing.T) {
	t.Parallel()
	worker, queue := resource(t, "WorkerFunction"), resource(t, "Queue")
	mapping := worker.at("Events", "Chunks", "Properties")
	if mapping.at("BatchSize").number() != 1 || !slices.Equal(mapping.at("FunctionResponseTypes").texts(), []string{"ReportBatchItemFailures"}) {
		t.Errorf("event source mapping: %v", mapping.value)
	}
	// The same parameter is ceiling and reservation: a ceiling above the reservation would burn receive counts.
	ceiling := mapping.at("ScalingConfig", "MaximumConcurrency").ref()
	reserved := worker.at("ReservedConcurrentExecutions").at("Fn::If").each()["1"].ref()
	if ceiling != reserved || parameter(t, ceiling).at("MinValue").number() < 2 {
		t.Errorf("MaximumConcurrency is %s, reserved is %s", ceiling, reserved)
	}
	for _, allowed := range parameter(t, worker.at("Timeout").ref()).at("AllowedValues").each() {
		seconds := allowed.number()
		if hidden := chosen(queue.at("VisibilityTimeout"), worker.at("Timeout").ref(), itoa(seconds)).number(); hidden < 6*seconds {
			t.Errorf("messages are hidden for %d s, and a delivery takes %d s", hidden, seconds)
		}
	}
	const fortnight = 14 * 24 * 60 * 60
	if got := resource(t, "DeadLetterQueue").at("MessageRetentionPeriod").number(); got != fortnight {
		t.Errorf("dead letters are kept for %d s", got)
	}
	if got := queue.at("RedrivePolicy", "maxReceiveCount").number(); got < 3 {
		t.Errorf("a chunk is dead after %d deliveries: less than a database that restarts", got)
	}
}

// chosen follows !If to the value that a parameter's value leads to.
func chosen(n node, parameter, value string) node {
	branches, ok := n.get("Fn::If")
	if !ok {
		return n
	}
	equals := template(n.t).at("Conditions", branches.each()["0"].text(), "Fn::Equals").each()
	if equals["0"].ref() == parameter && equals["1"].text() == value {
		return branches.each()["1"]
	}
	return chosen(branches.each()["2"], parameter, value)
}

func TestRecordsOutliveTheStack(t *testing.T) {
	t.Parallel()
	table := template(t).at("Resources", "Table")
	for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		if table.at(policy).text() != "Retain" {
			t.Errorf("%s of the table is %v", policy, table.at(policy).value)
		}
	}
	if got := table.at("Properties", "TimeToLiveSpecification", "AttributeName").text(); got != "expires" {
		t.Errorf("records end by %s", got)
	}
}

func TestBadEndsReachControl(t *testing.T) {
	t.Parallel()
	rule := resource(t, "BadEndRule")
	if got := slices.Sorted(slices.Values(rule.at("EventPattern", "detail", "status").texts())); !slices.Equal(got, []string{"ABORTED", "FAILED", "TIMED_OUT"}) {
		t.Errorf("the rule sees %v", got)
	}
	target := rule.at("Targets").each()["0"]
	target.at("DeadLetterConfig", "Arn")
	if got := target.at("Arn", "Fn::GetAtt").text(); got != "ControlFunction.Arn" {
		t.Errorf("bad ends go to %s", got)
	}
}

// TestFormOfTheConsole: each parameter is in one group of the form and says what it is for.
func TestFormOfTheConsole(t *testing.T) {
	t.Parallel()
	var shown []string
	for _, group := range template(t).at("Metadata", "AWS::CloudFormation::Interface", "ParameterGroups").each() {
		shown = append(shown, group.at("Parameters").texts()...)
	}
	parameters := template(t).at("Parameters").each()
	if got, want := slices.Sorted(slices.Values(shown)), slices.Sorted(maps.Keys(parameters)); !slices.Equal(got, want) {
		t.Errorf("the form shows %v, and there are %v", got, want)
	}
	for name, declared := range parameters {
		if declared.at("Description").text() == "" {
			t.Errorf("%s has no description", name)
		}
	}
}

// TestGuidedCanBeAnswered: `sam deploy --guided` takes no empty answer for what is not echoed, and offers no default for it. So "none" has to be nothing.
func TestGuidedCanBeAnswered(t *testing.T) {
	t.Parallel()
	for name, declared := range template(t).at("Parameters").each() {
		if hidden, _ := declared.get("NoEcho"); hidden.value != true {
			continue
		}
		if !regexp.MustCompile(declared.at("AllowedPattern").text()).MatchString("none") {
			t.Errorf("%s cannot be left out", name)
		}
		if !strings.Contains(string(file(t, "docs/deploy.md")), "| `"+name+"` | `none`") {
			t.Errorf("docs/deploy.md does not say how to leave out %s", name)
		}
	}
	nothing := map[string]bool{}
	for _, either := range template(t).at("Conditions", "HasUrl", "Fn::Not").each()["0"].at("Fn::Or").each() {
		nothing[either.at("Fn::Equals").each()["0"].ref()+"="+either.at("Fn::Equals").each()["1"].text()] = true
	}
	if want := map[string]bool{"DatabaseUrl=": true, "DatabaseUrl=none": true}; !maps.Equal(nothing, want) {
		t.Errorf("there is no URL where %v", nothing)
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	outputs := slices.Sorted(maps.Keys(template(t).at("Outputs").each()))
	want := []string{"BackfillStateMachineArn", "ControlFunctionName", "ControlReadFunctionArn", "ControlRegisterFunctionArn", "DeadLetterQueueUrl",
		"QueueUrl", "SegmentStateMachineArn", "TableName", "TopicArn"}
	if !slices.Equal(outputs, want) {
		t.Errorf("got %v, want %v", outputs, want)
	}
}
