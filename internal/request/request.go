// Package request owns what a person, a script or a schedule asks for: the input of an execution.
//
// It owns the JSON names and the check of a request by itself. It leaves definitions and parameters to definition.
// Invariants: unknown keys are refused; all problems come in one answer, of class failure.Invalid.
package request

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"backfill/internal/failure"
)

// The actions that an execution carries out.
const (
	Start    = "start"    // begin a run
	Resume   = "resume"   // go on with a run that was cancelled, has failed or lost its execution
	Retry    = "retry"    // try the failed chunks and the rejected rows of a run again
	Rollback = "rollback" // take back what a run wrote
	Verify   = "verify"   // look at a run that is COMPLETED once more
)

// Request is the input of an execution of the state machine "backfill".
type Request struct {
	Action     string         `json:"action"`
	Backfill   string         `json:"backfill,omitempty"`   // name of a definition of the stack
	Definition string         `json:"definition,omitempty"` // or the text of one, where the stack allows it
	Params     map[string]any `json:"params,omitempty"`
	Run        string         `json:"run,omitempty"`     // start: default is the name of the execution
	Chunks     string         `json:"chunks,omitempty"`  // rollback: numbers and ranges, "3,7-9"; default: all
	Force      bool           `json:"force,omitempty"`   // rollback: though a newer run wrote the same columns
	Write      *bool          `json:"write,omitempty"`   // verify: false counts rows that do not hold what they should, and writes none; default: true
	DryRun     bool           `json:"dry_run,omitempty"` // start: only tell what the run would do
	Canary     string         `json:"canary,omitempty"`  // start: the share of chunks to begin with, "1%"; the others wait for an approval
	// StartedBy is put in by Step Functions where another execution starts this one.
	StartedBy string `json:"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID,omitempty"`
}

// startedBy is the JSON name of Request.StartedBy.
const startedBy = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"

// dryRun is the JSON name of Request.DryRun.
const dryRun = "dry_run"

// ids are what Step Functions takes as the name of an execution, less the signs that need care elsewhere.
var ids = regexp.MustCompile(`^[0-9A-Za-z_-]{1,80}$`)

// Parse reads a request; name is the execution's, which is the run's id where the request gives none.
func Parse(source []byte, name string) (Request, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(source, &fields); err != nil || fields == nil {
		return Request{}, failure.New(failure.Invalid, "read the request: it is no JSON object; a request looks like "+
			`{"action":"start","backfill":"users-email-normalized","params":{}}`)
	}
	r, problems := read(fields)
	if r.Run == "" && !r.onRun() {
		r.Run = name
	}
	problems = append(problems, r.check(fields)...)
	switch len(problems) {
	case 0:
		return r, nil
	case 1:
		return r, failure.New(failure.Invalid, "%s", problems[0])
	}
	return r, failure.New(failure.Invalid, "%d problems:\n%s", len(problems), strings.Join(problems, "\n"))
}

// read takes the fields one by one, so that one that is wrong does not hide the next. Names are exact: encoding/json
// by itself would take "Action" for "action".
func read(fields map[string]json.RawMessage) (r Request, problems []string) {
	targets := map[string]any{
		"action": &r.Action, "backfill": &r.Backfill, "definition": &r.Definition, "params": &r.Params, "run": &r.Run,
		"canary": &r.Canary, "chunks": &r.Chunks, "force": &r.Force, "write": &r.Write, dryRun: &r.DryRun,
		startedBy: &r.StartedBy,
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		target, known := targets[key]
		if !known {
			problems = append(problems, fmt.Sprintf("%q is not known; a request has action, backfill, definition, params, run, canary, chunks, force, write and dry_run", key))
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(fields[key]))
		decoder.UseNumber()                                                        // a float64 is exact up to 2^53 only
		if decoder.Decode(target) != nil || key == dryRun && !given(fields, key) { // null is no word for "begin"
			problems = append(problems, fmt.Sprintf("%q has to be %s", key, kindOf(target)))
		}
	}
	return r, problems
}

func kindOf(target any) string {
	switch target.(type) {
	case *string:
		return "a string"
	case *bool, **bool:
		return "true or false"
	}
	return "an object"
}

// given tells whether a field is there and says something, be it wrong.
func given(fields map[string]json.RawMessage, key string) bool {
	text := string(fields[key])
	return text != "" && text != "null" && text != `""`
}

// onRun tells whether the action is one on a run that exists.
func (r Request) onRun() bool {
	return slices.Contains([]string{Resume, Retry, Rollback, Verify}, r.Action)
}

// check judges what was read; a field that could not be read has its problem already.
func (r Request) check(fields map[string]json.RawMessage) (problems []string) {
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	known := slices.Contains([]string{Start, Resume, Retry, Rollback, Verify}, r.Action)
	if !known && (r.Action != "" || !given(fields, "action")) { // it is judged as a start then
		refuse(`action %q is not known; write "start", "resume", "retry", "rollback" or "verify"`, r.Action)
	}
	defined := given(fields, "backfill") || given(fields, "definition") || given(fields, "params")
	switch {
	case !r.onRun() && given(fields, "backfill") == given(fields, "definition"):
		refuse(`give either "backfill" (the name of a definition) or "definition" (its text)`)
	case r.onRun() && defined:
		refuse(`%q works with the definition that was stored when the run began: leave out "backfill", "definition" and "params"`, r.Action)
	}
	if r.Action != Rollback && (given(fields, "chunks") || given(fields, "force")) {
		refuse(`"chunks" and "force" belong to a rollback`)
	}
	if r.Action != Start && r.DryRun {
		refuse(`"dry_run" belongs to a start`)
	}
	if given(fields, "canary") && (r.Action != Start || r.DryRun) {
		refuse(`"canary" belongs to a start, and not to a dry run, which writes nothing`)
	}
	if _, err := ParseShare(r.Canary); err != nil {
		refuse("canary: %s", err)
	}
	if r.Action != Verify && given(fields, "write") {
		refuse(`"write" belongs to a verification`)
	}
	if _, err := ParseChunks(r.Chunks); err != nil {
		refuse("chunks: %s", err)
	}
	if !ids.MatchString(r.Run) {
		refuse("run %q is not 1 to 80 letters, digits, _ or -", r.Run)
	}
	return problems
}
