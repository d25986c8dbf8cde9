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

// Start is the action that begins a run.
const Start = "start"

// Request is the input of an execution of the state machine "backfill".
type Request struct {
	Action     string         `json:"action"`
	Backfill   string         `json:"backfill,omitempty"`   // name of a definition of the stack
	Definition string         `json:"definition,omitempty"` // or the text of one, where the stack allows it
	Params     map[string]any `json:"params,omitempty"`
	Run        string         `json:"run,omitempty"` // default: the name of the execution
	// StartedBy is put in by Step Functions where another execution starts this one.
	StartedBy string `json:"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID,omitempty"`
}

// startedBy is the JSON name of Request.StartedBy.
const startedBy = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"

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
	if r.Run == "" {
		r.Run = name
	}
	problems = append(problems, r.check(fields)...)
	if len(problems) > 0 {
		return r, failure.New(failure.Invalid, "the request has %d problem(s): %s", len(problems), strings.Join(problems, "; "))
	}
	return r, nil
}

// read takes the fields one by one, so that one that is wrong does not hide the next. Names are exact: encoding/json
// by itself would take "Action" for "action".
func read(fields map[string]json.RawMessage) (r Request, problems []string) {
	targets := map[string]any{
		"action": &r.Action, "backfill": &r.Backfill, "definition": &r.Definition, "params": &r.Params, "run": &r.Run,
		startedBy: &r.StartedBy,
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		target, known := targets[key]
		if !known {
			problems = append(problems, fmt.Sprintf("%q is not known; a request has action, backfill, definition, params and run", key))
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(fields[key]))
		decoder.UseNumber() // a float64 is exact up to 2^53 only
		if decoder.Decode(target) != nil {
			problems = append(problems, fmt.Sprintf("%q has to be %s", key, kindOf(target)))
		}
	}
	return r, problems
}

func kindOf(target any) string {
	if _, text := target.(*string); text {
		return "a string"
	}
	return "an object"
}

// given tells whether a field is there and says something, be it wrong.
func given(fields map[string]json.RawMessage, key string) bool {
	text := string(fields[key])
	return text != "" && text != "null" && text != `""`
}

// check judges what was read; a field that could not be read has its problem already.
func (r Request) check(fields map[string]json.RawMessage) (problems []string) {
	if r.Action != Start && (r.Action != "" || !given(fields, "action")) {
		problems = append(problems, fmt.Sprintf("action %q is not known; write \"start\"", r.Action))
	}
	if given(fields, "backfill") == given(fields, "definition") {
		problems = append(problems, `give either "backfill" (the name of a definition) or "definition" (its text)`)
	}
	if !ids.MatchString(r.Run) {
		problems = append(problems, fmt.Sprintf("run %q is not 1 to 80 letters, digits, _ or -", r.Run))
	}
	return problems
}
