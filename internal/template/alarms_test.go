package template_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"backfill/internal/gauge"
)

// runbook has a section for each alarm.
const runbook = "docs/runbook.md"

// watched are AWS' own metrics that are in use, with the dimension that each has and the type of resource that it names.
var watched = map[string]struct{ metrics, dimension, kind string }{
	"AWS/Lambda": {"Errors Throttles Duration", "FunctionName", "AWS::Serverless::Function"},
	"AWS/SQS":    {"ApproximateNumberOfMessagesVisible", "QueueName", "AWS::SQS::Queue"},
}

// metric is one that an alarm or a widget reads. A dimension's value is the logical id of a resource, or AWS::StackName.
type metric struct {
	namespace, name string
	dimensions      map[string]string
}

// exists says why nothing would ever write the metric; "": something does.
func (m metric) exists(t *testing.T) string {
	t.Helper()
	if m.namespace == gauge.Namespace {
		return m.told(t)
	}
	known, ok := watched[m.namespace]
	if !ok || !slices.Contains(strings.Fields(known.metrics), m.name) {
		return "is none that AWS is known to write: add it to watched"
	}
	if of, there := template(t).at("Resources").get(m.dimensions[known.dimension]); len(m.dimensions) != 1 || !there || of.at("Type").text() != known.kind {
		return "is of nothing in the template"
	}
	return ""
}

// told is exists for the figures of the functions.
func (m metric) told(t *testing.T) string {
	t.Helper()
	sets := gauge.Dimensions()
	if m.name == gauge.Slowed.Name {
		sets = gauge.ReasonDimensions()
	}
	names := slices.Sorted(maps.Keys(m.dimensions))
	if !slices.ContainsFunc(sets, func(set []string) bool { return slices.Equal(slices.Sorted(slices.Values(set)), names) }) {
		return "is told by other dimensions"
	}
	if m.dimensions[gauge.Stack] != "AWS::StackName" {
		return "is of another stack"
	}
	if !written(t)[m.name] {
		return "is told by nobody"
	}
	return ""
}

var writing struct {
	once sync.Once
	told map[string]bool
}

// written are the figures that the program of a function writes.
func written(t *testing.T) map[string]bool {
	t.Helper()
	writing.once.Do(func() { writing.told = mentioned(t) })
	return writing.told
}

// mentioned are those that are mentioned outside of the package of their names.
func mentioned(t *testing.T) map[string]bool {
	t.Helper()
	variables, told := gauges(t), map[string]bool{}
	for _, pattern := range []string{"internal/*/*.go", "functions/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		must(t, err)
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/gauge/") {
				continue
			}
			text := string(file(t, strings.TrimPrefix(path, root+"/")))
			for _, match := range regexp.MustCompile(`\bgauge\.(\w+)\b`).FindAllStringSubmatch(text, -1) {
				if name := variables[match[1]]; name != "" {
					told[name] = true
				}
			}
		}
	}
	return told
}

// gauges are the names of the figures by their variables.
func gauges(t *testing.T) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "internal/gauge/gauge.go"), nil, parser.SkipObjectResolution)
	must(t, err)
	found := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if made, ok := spec.Values[0].(*ast.CompositeLit); ok {
			found[spec.Names[0].Name] = strings.Trim(made.Elts[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	if len(found) != len(gauge.All()) {
		t.Fatalf("%d of %d figures are found", len(found), len(gauge.All()))
	}
	return found
}

func alarmed(alarm node) metric {
	m := metric{alarm.at("Namespace").text(), alarm.at("MetricName").text(), map[string]string{}}
	for _, dimension := range alarm.at("Dimensions").each() {
		value := dimension.at("Value")
		of, ok := value.get("Ref")
		if !ok {
			of = value.at("Fn::GetAtt")
		}
		m.dimensions[dimension.at("Name").text()] = strings.TrimSuffix(of.text(), ".QueueName")
	}
	return m
}

// TestNoAlarmWatchesNothing: a metric that nobody writes never alarms, and nobody notices.
func TestNoAlarmWatchesNothing(t *testing.T) {
	t.Parallel()
	for logicalID, alarm := range ofType(t, "AWS::CloudWatch::Alarm") {
		m := alarmed(alarm.at("Properties"))
		if why := m.exists(t); why != "" {
			t.Errorf("%s reads %s %s of %v, which %s", logicalID, m.namespace, m.name, m.dimensions, why)
		}
	}
	if of := template(t).at("Globals", "Function", "Environment", "Variables", "STACK_NAME").ref(); of != "AWS::StackName" {
		t.Errorf("the functions tell figures of %s", of)
	}
}

// TestEachFigureIsTold by some function.
func TestEachFigureIsTold(t *testing.T) {
	t.Parallel()
	told := written(t)
	for _, one := range gauge.All() {
		if !told[one.Name] {
			t.Errorf("nobody tells %s", one.Name)
		}
	}
}

// TestWhatHasAnAlarm: each function's errors, time and throttles, each dead-letter queue, and what may become of a run.
func TestWhatHasAnAlarm(t *testing.T) {
	t.Parallel()
	var got, want []string
	for _, alarm := range ofType(t, "AWS::CloudWatch::Alarm") {
		m := alarmed(alarm.at("Properties"))
		for _, of := range m.dimensions {
			got = append(got, m.name+" "+of)
		}
	}
	for function := range ofType(t, "AWS::Serverless::Function") {
		want = append(want, "Errors "+function, "Duration "+function, "Throttles "+function)
	}
	for logicalID := range ofType(t, "AWS::SQS::Queue") {
		if strings.Contains(logicalID, "Dead") {
			want = append(want, "ApproximateNumberOfMessagesVisible "+logicalID)
		}
	}
	for _, figure := range []gauge.Gauge{gauge.RunsFailed, gauge.Stalled, gauge.LeasesExpired, gauge.Unwatched, gauge.NotConsumed, gauge.DeadLetters} {
		want = append(want, figure.Name+" AWS::StackName")
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("there are alarms of\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAnAlarmSaysWhatToDo, names its section of the runbook, goes to the topic that is given, and is quiet while there are no data.
func TestAnAlarmSaysWhatToDo(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for logicalID, alarm := range ofType(t, "AWS::CloudWatch::Alarm") {
		properties := alarm.at("Properties")
		said := properties.at("AlarmDescription").text()
		section := runbook + "#" + strings.ToLower(strings.TrimSuffix(logicalID, "Alarm"))
		if !strings.HasSuffix(said, " "+section) || len(said) > 1024 || len(said) < 80 {
			t.Errorf("%s says %q", logicalID, said)
		}
		if properties.at("TreatMissingData").text() != "notBreaching" {
			t.Errorf("%s alarms where nothing runs", logicalID)
		}
		to := properties.at("AlarmActions", "Fn::If").each()
		own := to["2"].at("Fn::If").each()
		if to["0"].text() != "HasAlarmTopic" || to["1"].each()["0"].ref() != "AlarmTopicArn" || own["0"].text() != "HasKey" || own["1"].each()["0"].ref() != "Topic" {
			t.Errorf("%s goes to %v", logicalID, properties.at("AlarmActions").value)
		}
		name := properties.at("AlarmName", "Fn::Sub").text()
		if names[name] || !strings.HasPrefix(name, "${AWS::StackName}-") { // the topic's policy lets in these
			t.Errorf("%s is called %s", logicalID, name)
		}
		names[name] = true
	}
}

// TestRunbookAndAlarms: each alarm has its section, with what it means, where to look and what to do; each section its alarm.
func TestRunbookAndAlarms(t *testing.T) {
	t.Parallel()
	alarms := ofType(t, "AWS::CloudWatch::Alarm")
	_, text, _ := strings.Cut(string(file(t, runbook)), "\n## ")
	for part := range strings.SplitSeq(text, "\n## ") {
		title, section, _ := strings.Cut(part, "\n")
		if alarms[title+"Alarm"].value == nil {
			t.Errorf("%s is no alarm", title)
		}
		delete(alarms, title+"Alarm")
		at := 0
		for _, word := range []string{"**Means**: ", "**Look**: ", "**Do**: "} {
			next := strings.Index(section, word)
			if next < at {
				t.Errorf("%s has no %s, or not in this place", title, word)
			}
			at = next
		}
		if !strings.Contains(section, "`") {
			t.Errorf("%s names no command", title)
		}
	}
	for logicalID := range alarms {
		t.Errorf("%s has no section", logicalID)
	}
}

// TestDurationAlarmsComeBeforeTheTimeout, and after what is usual.
func TestDurationAlarmsComeBeforeTheTimeout(t *testing.T) {
	t.Parallel()
	for logicalID, function := range ofType(t, "AWS::Serverless::Function") {
		threshold := resource(t, strings.TrimSuffix(logicalID, "Function")+"DurationAlarm").at("Threshold")
		if logicalID != "WorkerFunction" {
			if timeout := function.at("Properties", "Timeout").number() * 1000; threshold.number() < timeout*3/4 || threshold.number() >= timeout {
				t.Errorf("%s alarms at %d of %d ms", logicalID, threshold.number(), timeout)
			}
			continue
		}
		for _, allowed := range parameter(t, "WorkerTimeout").at("AllowedValues").each() {
			late := template(t).at("Mappings", "WorkerTimeouts", itoa(allowed.number()), "Late").number()
			if timeout := allowed.number() * 1000; late <= timeout-2000 || late >= timeout { // an orderly end has come by then
				t.Errorf("a worker of %d ms alarms at %d", timeout, late)
			}
		}
	}
	if beat := parameter(t, "BeatSeconds").at("MaxValue").number() * 1000; resource(t, "GovernorDurationAlarm").at("Threshold").number() <= beat {
		t.Errorf("a beat of %d ms alarms", beat)
	}
}

// dashboard is its body, with ${X} as it is.
func dashboard(t *testing.T) node {
	t.Helper()
	body := node{t: t, path: "dashboard"}
	text := resource(t, "Dashboard").at("DashboardBody", "Fn::Sub").text()
	if err := json.Unmarshal([]byte(text), &body.value); err != nil {
		t.Fatalf("the dashboard is no JSON: %v", err)
	}
	return body
}

// TestTheBillHasEachAlarmAndFigure: both are paid for, and docs/cost.md says how many there are.
func TestTheBillHasEachAlarmAndFigure(t *testing.T) {
	t.Parallel()
	text := string(file(t, "docs/cost.md"))
	for _, want := range []string{fmt.Sprintf("| %d alarms |", len(ofType(t, "AWS::CloudWatch::Alarm"))), fmt.Sprintf(": %d figures,", len(gauge.All())),
		fmt.Sprintf("up to %d metrics", 2*(len(gauge.All())-1))} {
		if !strings.Contains(text, want) {
			t.Errorf("docs/cost.md does not say %q", want)
		}
	}
}

// TestNoWidgetShowsNothing: each metric exists, each reference is to something of the template, and no widget lies on another.
func TestNoWidgetShowsNothing(t *testing.T) {
	t.Parallel()
	shown := 0
	for _, widget := range dashboard(t).at("widgets").each() {
		if widget.at("x").number()+widget.at("width").number() > 24 {
			t.Errorf("%s is wider than the dashboard", widget.path)
		}
		list, ok := widget.at("properties").get("metrics")
		if !ok {
			continue
		}
		for _, one := range list.each() {
			shown++
			m := graphed(t, one)
			if why := m.exists(t); why != "" {
				t.Errorf("%s shows %s %s of %v, which %s", one.path, m.namespace, m.name, m.dimensions, why)
			}
		}
	}
	if shown < 20 {
		t.Errorf("only %d metrics are shown", shown)
	}
	overlaps(t, dashboard(t).at("widgets"))
}

func overlaps(t *testing.T, widgets node) {
	t.Helper()
	taken := map[[2]int]string{}
	for _, widget := range widgets.each() {
		for x := range widget.at("width").number() {
			for y := range widget.at("height").number() {
				place := [2]int{widget.at("x").number() + x, widget.at("y").number() + y}
				if taken[place] != "" {
					t.Fatalf("%s lies on %s", widget.path, taken[place])
				}
				taken[place] = widget.path
			}
		}
	}
}

// search is a search expression: namespace and dimensions, name, stack.
var search = regexp.MustCompile(`^SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)" Stack="\$\{AWS::StackName\}"', '\w+', 60\)$`)

// graphed reads a line of a widget: namespace, name, dimensions, and how it is drawn; or a search.
func graphed(t *testing.T, line node) metric {
	t.Helper()
	parts := line.value.([]any)
	drawn := parts[len(parts)-1].(map[string]any)
	if expression, ok := drawn["expression"].(string); ok {
		match := search.FindStringSubmatch(expression)
		if match == nil {
			t.Fatalf("%s searches %s", line.path, expression)
		}
		m := metric{match[1], match[3], map[string]string{}}
		for name := range strings.SplitSeq(match[2], ",") {
			m.dimensions[name] = "any"
		}
		m.dimensions[gauge.Stack] = "AWS::StackName"
		return m
	}
	m := metric{parts[0].(string), parts[1].(string), map[string]string{}}
	for i := 2; i+1 < len(parts); i += 2 {
		m.dimensions[parts[i].(string)] = strings.TrimSuffix(strings.Trim(parts[i+1].(string), "${}"), ".QueueName")
	}
	return m
}

// TestTheDashboardShowsEachAlarm, and refers to nothing that is not there.
func TestTheDashboardShowsEachAlarm(t *testing.T) {
	t.Parallel()
	text := resource(t, "Dashboard").at("DashboardBody", "Fn::Sub").text()
	for logicalID := range ofType(t, "AWS::CloudWatch::Alarm") {
		if !strings.Contains(text, "${"+logicalID+".Arn}") {
			t.Errorf("%s is not shown", logicalID)
		}
	}
	for _, match := range regexp.MustCompile(`\$\{(\w+)[.}]`).FindAllStringSubmatch(text, -1) {
		if _, there := template(t).at("Resources").get(match[1]); !there {
			t.Errorf("it refers to %s", match[1])
		}
	}
}
