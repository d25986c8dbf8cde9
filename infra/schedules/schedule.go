package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // names are the same on every machine

	"github.com/goccy/go-yaml"
)

// schedule is one entry of the map.
type schedule struct {
	name     string
	Backfill string         `yaml:"backfill"`
	At       string         `yaml:"at"`
	Timezone string         `yaml:"timezone"`
	Window   int            `yaml:"window"` // minutes
	Params   map[string]any `yaml:"params"`
	Enabled  *bool          `yaml:"enabled"`
}

// widest is the longest window that EventBridge Scheduler takes, in minutes.
const widest = 1440

var (
	namePattern     = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	backfillPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}(@[1-9][0-9]*)?$`)
	atPattern       = regexp.MustCompile(`^(cron|rate|at)\([^()']+\)$`)
)

// parse reads the map, sorted by name, and tells all that is wrong with it at once.
func parse(text []byte) ([]schedule, error) {
	entries := map[string]schedule{}
	if err := yaml.UnmarshalWithOptions(text, &entries, yaml.Strict()); err != nil {
		return nil, err
	}
	var all []schedule
	var wrong []error
	for name, s := range entries {
		s.name, s.Timezone = name, cmp.Or(s.Timezone, "UTC")
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b schedule) int { return cmp.Compare(a.name, b.name) })
	for _, s := range all {
		wrong = append(wrong, s.problems()...)
	}
	return all, errors.Join(wrong...)
}

func (s schedule) problems() (wrong []error) {
	refuse := func(key, what string) { wrong = append(wrong, fmt.Errorf("%s: %s: %s", s.name, key, what)) }
	if !namePattern.MatchString(s.name) || len(s.name) > 40 {
		refuse("name", "use up to 40 small letters, digits and hyphens")
	}
	if !backfillPattern.MatchString(s.Backfill) {
		refuse("backfill", "it is the name of a definition, as sessions-purge or sessions-purge@2")
	}
	if !atPattern.MatchString(s.At) {
		refuse("at", "write cron(0 3 * * ? *), rate(1 day) or at(2026-12-01T03:00:00)")
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "Local" {
		refuse("timezone", fmt.Sprintf("%q is none; write one like Europe/Berlin", s.Timezone))
	}
	if s.Window < 0 || s.Window > widest {
		refuse("window", fmt.Sprintf("it is 0 to %d minutes", widest))
	}
	return wrong
}

// resource is the schedule as the template has it. The execution id in the run's id makes a delivery that is repeated the same run.
func (s schedule) resource() string {
	input := map[string]any{"action": "start", "backfill": s.Backfill, "run": s.name + "-<aws.scheduler.execution-id>"}
	if len(s.Params) > 0 {
		input["params"] = s.Params
	}
	window, state := "{ Mode: \"OFF\" }", "ENABLED"
	if s.Window > 0 {
		window = fmt.Sprintf("{ Mode: FLEXIBLE, MaximumWindowInMinutes: %d }", s.Window)
	}
	if s.Enabled != nil && !*s.Enabled {
		state = "DISABLED"
	}
	return fmt.Sprintf(`  Schedule%s:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: !Sub ${AWS::StackName}-%s
      Description: Starts %s
      State: %s
      ScheduleExpression: %s
      ScheduleExpressionTimezone: %s
      FlexibleTimeWindow: %s
      Target:
        Arn: !Ref BackfillStateMachine
        RoleArn: !GetAtt ScheduleRole.Arn
        Input: '%s'
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 20 }
        DeadLetterConfig: { Arn: !GetAtt ScheduleDeadLetterQueue.Arn }
`, camel(s.name), s.name, s.Backfill, state, s.At, s.Timezone, window, strings.ReplaceAll(plain(input), "'", "''"))
}

// plain is JSON in which < and > stand as they are: EventBridge Scheduler looks for them.
func plain(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // a map that came from YAML
	}
	return strings.TrimSpace(text.String())
}

// camel makes a logical id of a name.
func camel(name string) string {
	var id strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		id.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return id.String()
}
