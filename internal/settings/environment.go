package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"backfill/internal/failure"
	"backfill/internal/figure"
)

// environment reads variables and collects what is wrong with them.
type environment struct {
	lookup   Lookup
	problems []string
}

func (e *environment) problem(name, format string, args ...any) {
	e.problems = append(e.problems, name+" "+fmt.Sprintf(format, args...))
}

// err joins the problems.
func (e *environment) err() error {
	if len(e.problems) == 0 {
		return nil
	}
	return failure.New(failure.Invalid, "the function's environment has %s: %s",
		figure.Plural(int64(len(e.problems)), "problem", "problems"), strings.Join(e.problems, "; "))
}

func (e *environment) shared() Shared {
	own := e.database()
	return Shared{Database: own, Named: e.named(own.Bundle), Table: e.text(tableName), Lease: e.seconds(lease), Heartbeat: e.seconds(heartbeat), Stack: e.text(stackName)}
}

// optional is "" for a variable that is not set: an empty one means the same.
func (e *environment) optional(name string) string {
	value, _ := e.lookup(name)
	return strings.TrimSpace(value)
}

func (e *environment) text(name string) string {
	value := e.optional(name)
	if value == "" {
		e.problem(name, "is not set; template.yaml sets it")
	}
	return value
}

func (e *environment) number(v variable) int {
	text := e.text(v.name)
	if text == "" {
		return 0
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < v.min || number > v.max {
		e.problem(v.name, "is %q; set a whole number from %d to %d: %s", text, v.min, v.max, v.why)
		return 0
	}
	return number
}

func (e *environment) seconds(v variable) time.Duration {
	return time.Duration(e.number(v)) * time.Second
}

func (e *environment) minutes(v variable) time.Duration {
	return time.Duration(e.number(v)) * time.Minute
}

func (e *environment) days(v variable) time.Duration {
	return time.Duration(e.number(v)) * 24 * time.Hour
}

func (e *environment) truth(name string) bool {
	text := e.text(name)
	if text != "" && text != "true" && text != "false" {
		e.problem(name, `is %q; set "true" or "false"`, text)
	}
	return text == "true"
}

// list gives what stands between commas; none where it is empty.
func (e *environment) list(name string) (all []string) {
	if e.optional(name) == "" {
		return nil
	}
	for item := range strings.SplitSeq(e.optional(name), ",") {
		all = append(all, strings.TrimSpace(item))
	}
	return all
}

// alarms gives the names in a list of ARNs; none is given where it is empty.
func (e *environment) alarms() (names []string) {
	for _, arn := range e.list(alarms) {
		_, name, ok := strings.Cut(arn, ":alarm:")
		if !ok || !strings.HasPrefix(arn, "arn:") || name == "" {
			e.problem(alarms, "has %q; set full ARNs of alarms, with commas between them", arn)
		}
		names = append(names, name)
	}
	return names
}
