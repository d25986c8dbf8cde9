// Package request owns what a person, a script or a schedule asks for: the input of an execution.
//
// It owns the JSON names and the check of a request by itself. It leaves definitions and parameters to definition.
// Invariants: unknown keys are refused; all problems come in one answer, of class failure.Invalid.
package request

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
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

// ids are what Step Functions takes as the name of an execution, less the signs that need care elsewhere.
var ids = regexp.MustCompile(`^[0-9A-Za-z_-]{1,80}$`)

// Parse reads a request; name is the execution's, which is the run's id where the request gives none.
func Parse(source []byte, name string) (Request, error) {
	var r Request
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&r); err != nil {
		return r, failure.New(failure.Invalid, "read the request: %s; a request looks like "+
			`{"action":"start","backfill":"users-email-normalized","params":{}}`, strings.TrimPrefix(err.Error(), "json: "))
	}
	if r.Run == "" {
		r.Run = name
	}
	return r, r.check()
}

func (r Request) check() error {
	var problems []string
	if r.Action != Start {
		problems = append(problems, fmt.Sprintf("action %q is not known; write \"start\"", r.Action))
	}
	if (r.Backfill == "") == (r.Definition == "") {
		problems = append(problems, `give either "backfill" (the name of a definition) or "definition" (its text)`)
	}
	if !ids.MatchString(r.Run) {
		problems = append(problems, fmt.Sprintf("run %q is not 1 to 80 letters, digits, _ or -", r.Run))
	}
	if len(problems) > 0 {
		return failure.New(failure.Invalid, "the request has %d problem(s): %s", len(problems), strings.Join(problems, "; "))
	}
	return nil
}
