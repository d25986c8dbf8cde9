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
	"slices"
	"strings"

	"backfill/internal/failure"
)

// The actions that an execution carries out.
const (
	Start    = "start"    // begin a run
	Resume   = "resume"   // go on with a run that was cancelled, has failed or lost its execution
	Rollback = "rollback" // take back what a run wrote
)

// Request is the input of an execution of the state machine "backfill".
type Request struct {
	Action     string         `json:"action"`
	Backfill   string         `json:"backfill,omitempty"`   // name of a definition of the stack
	Definition string         `json:"definition,omitempty"` // or the text of one, where the stack allows it
	Params     map[string]any `json:"params,omitempty"`
	Run        string         `json:"run,omitempty"`    // start: default is the name of the execution
	Chunks     string         `json:"chunks,omitempty"` // rollback: numbers and ranges, "3,7-9"; default: all
	Force      bool           `json:"force,omitempty"`  // rollback: though a newer run wrote the same columns
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
	if r.Run == "" && r.Action == Start {
		r.Run = name
	}
	return r, r.check()
}

func (r Request) check() error {
	var problems []string
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !slices.Contains([]string{Start, Resume, Rollback}, r.Action) {
		refuse(`action %q is not known; write "start", "resume" or "rollback"`, r.Action)
	}
	defined := r.Backfill != "" || r.Definition != "" || r.Params != nil
	switch {
	case r.Action == Start && (r.Backfill == "") == (r.Definition == ""):
		refuse(`give either "backfill" (the name of a definition) or "definition" (its text)`)
	case r.Action != Start && defined:
		refuse(`%q works with the definition that was stored when the run began: leave out "backfill", "definition" and "params"`, r.Action)
	}
	if r.Action != Rollback && (r.Chunks != "" || r.Force) {
		refuse(`"chunks" and "force" belong to a rollback`)
	}
	if _, err := ParseChunks(r.Chunks); err != nil {
		refuse("chunks: %s", err)
	}
	if !ids.MatchString(r.Run) {
		refuse("run %q is not 1 to 80 letters, digits, _ or -", r.Run)
	}
	if len(problems) > 0 {
		return failure.New(failure.Invalid, "the request has %d problem(s): %s", len(problems), strings.Join(problems, "; "))
	}
	return nil
}
