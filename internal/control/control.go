// Package control is what an operator, or an event, invokes at any time: status, list, chunks, pause, cancel, validate, dry_run, close.
//
// It owns the actions and who may call them: the alias "read" serves those that change nothing, the alias "register"
// the one that registers a definition, which the function itself does not serve. It leaves ending a
// run to closing, judging a definition to review, and trying one to rehearsal. Invariants: an action can be repeated; it touches only its run;
// unknown keys are refused.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"sort"
	"strings"
	"time"

	"backfill/internal/checkup"
	"backfill/internal/closing"
	"backfill/internal/failure"
	"backfill/internal/gauge"
	"backfill/internal/prospect"
	"backfill/internal/rebuild"
	"backfill/internal/records"
	"backfill/internal/registry"
	"backfill/internal/review"
	"backfill/internal/run"
)

// reader is the alias that only looks.
const reader = "read"

// registrar is the alias that only registers definitions.
const registrar = "register"

// Records is what control reads.
type Records interface {
	Plan
	Status(ctx context.Context, id string) (run.Status, error)
	List(ctx context.Context, limit int) ([]run.Status, error)
	Segment(ctx context.Context, id, execution string) (string, error)
	NoteSweep(ctx context.Context, id string, at time.Time) error
}

// Closer ends runs.
type Closer interface {
	Close(ctx context.Context, id string, as run.State, reason string) (run.State, error)
	Lost(ctx context.Context, execution closing.Execution) (run.State, error)
}

// Reviewer judges a definition against the database.
type Reviewer interface {
	Check(ctx context.Context, text string, params map[string]any) (review.Finding, error)
}

// Registry keeps definitions that are registered.
type Registry interface {
	Add(ctx context.Context, d records.Definition) (records.Definition, bool, error)
	List(ctx context.Context) ([]registry.Entry, error)
	Show(ctx context.Context, name string, version int64) (registry.Shown, error)
}

// Rehearser judges a definition against the database, and tells what a run of it would do.
type Rehearser interface {
	Check(ctx context.Context, subject review.Subject) (prospect.Checked, error)
	Rehearse(ctx context.Context, subject review.Subject, rows int) (prospect.Prospect, error)
}

// Examiner looks at what the stack needs of its database.
type Examiner interface {
	Examine(ctx context.Context) checkup.Report
}

// Pauser stops runs for a while.
type Pauser interface {
	Pause(ctx context.Context, id, by, reason string) (run.State, error)
	Resume(ctx context.Context, id, by string) (run.State, error)
	Approve(ctx context.Context, id, by string) (run.State, error)
	MayResume(ctx context.Context, id string) error
	MayApprove(ctx context.Context, id string) error
	PauseAll(ctx context.Context, executions, by, reason string) ([]string, error)
	ResumeAll(ctx context.Context, executions, by string) ([]string, error)
}

// Executions stops what still runs in Step Functions, wakes what waits, and tells whether an execution goes on.
type Executions interface {
	Running(ctx context.Context, execution string) (bool, error)
	Stop(ctx context.Context, execution, cause string) error
	Wake(ctx context.Context, token string) error
}

// Rebuilder makes the records of a run again.
type Rebuilder interface {
	Rebuild(ctx context.Context, id string) (rebuild.Rebuilt, error)
}

// Control answers, of one database of the stack.
type Control struct {
	Database   string // "": the stack's own
	Ledger     Ledger
	Records    Records
	Closer     Closer
	Pauser     Pauser
	Reviewer   Reviewer
	Registry   Registry
	Rehearser  Rehearser
	Rebuilder  Rebuilder
	Examiner   Examiner
	Executions Executions
	// Own is how the ARN of each execution of this stack begins: another stack may work in the same database.
	Own string
	// Workers is how many the stack has.
	Workers int64
	// Gauges are told how runs end that nobody watches any more.
	Gauges *gauge.Writer
	// UndoRetention is how long undo and conflicts are kept after the end of their run.
	UndoRetention time.Duration
}

// action answers one kind of input.
type action struct {
	changes bool // refused by the alias "read"
	answer  func(c *Control, ctx context.Context, input json.RawMessage) (any, error)
}

var actions = map[string]action{
	"status":      {false, (*Control).status},
	"list":        {false, (*Control).list},
	"chunks":      {false, (*Control).chunks},
	"definitions": {false, (*Control).definitions},
	"conflicts":   {false, (*Control).conflicts},
	"rejects":     {false, (*Control).rejects},
	"certificate": {false, (*Control).certificate},
	"deviations":  {false, (*Control).deviations},
	"report":      {false, (*Control).report},
	"dry_run":     {false, (*Control).dryRun},
	"doctor":      {false, (*Control).doctor},
	"pause":       {true, (*Control).pause},
	"resume":      {true, (*Control).resume},
	"approve":     {true, (*Control).approve},
	"await":       {true, (*Control).await},
	"cancel":      {true, (*Control).cancel},
	"tune":        {true, (*Control).tune},
	"validate":    {true, (*Control).validate},
	"rebuild":     {true, (*Control).rebuild},
	"sweep":       {true, (*Control).sweep},
	"close":       {true, (*Control).close},
}

// registering are the actions of the alias "register". Whoever may act, or start an execution, must not thereby say what SQL
// a name stands for; and whoever may say that need not be able to run it.
var registering = map[string]action{
	"register": {true, (*Control).register},
}

// Handle answers an input: {"action": ...}, or an event of an execution that ended badly.
func (c *Control) Handle(ctx context.Context, alias string, input json.RawMessage) (any, error) {
	var head struct {
		Action     string `json:"action"`
		DetailType string `json:"detail-type"`
	}
	if err := json.Unmarshal(input, &head); err != nil {
		return nil, failure.New(failure.Invalid, `read the input: %w; it looks like {"action":"status","run":"..."}`, err)
	}
	if head.DetailType == executionEvent && alias != reader && alias != registrar {
		if err := c.Ledger.Renew(ctx); err != nil {
			return nil, err
		}
		return c.executionEnded(ctx, input)
	}
	chosen, err := choose(alias, head.Action)
	if err != nil {
		return nil, err
	}
	if alias == reader {
		if err := mayLook(head.Action, input); err != nil {
			return nil, err
		}
	}
	if chosen.changes { // no run may have begun since the stack was deployed anew
		if err := c.Ledger.Renew(ctx); err != nil {
			return nil, err
		}
	}
	answer, err := chosen.answer(c, ctx, input)
	if alias == reader {
		answer = withoutValues(answer)
	}
	return answer, err
}

// choose finds an action that the alias serves.
func choose(alias, name string) (action, error) {
	if alias == registrar {
		if chosen, ok := registering[name]; ok {
			return chosen, nil
		}
		return action{}, failure.New(failure.Invalid, `the alias "register" serves "register" only, and not %q`, name)
	}
	chosen, ok := actions[name]
	switch _, registers := registering[name]; {
	case registers:
		return chosen, failure.New(failure.Invalid, `%q is served by the alias "register" of the function, and by nothing else: `+
			"it is a right of its own", name)
	case !ok:
		return chosen, failure.New(failure.Invalid, "action %q is not known; one of %s", name, known())
	case chosen.changes && alias == reader:
		return chosen, failure.New(failure.Invalid, `the alias "read" does not serve %q: invoke the function itself`, name)
	}
	return chosen, nil
}

func known() string {
	names := make([]string, 0, len(actions))
	for name := range actions {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// decode reads an action's input; unknown keys are refused.
func decode(input json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return failure.New(failure.Invalid, "read the input: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
