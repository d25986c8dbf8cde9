package template_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backfill/internal/backfills"
	"backfill/internal/chunk"
	"backfill/internal/control"
	"backfill/internal/definition"
	"backfill/internal/planner"
	"backfill/internal/request"
	"backfill/internal/review"
	"backfill/internal/turn"

	"github.com/aws/aws-lambda-go/events"
)

// executionEvent is the event of EventBridge, as far as AWS documents it.
type executionEvent struct {
	events.CloudWatchEvent
	Detail struct {
		ExecutionARN, StateMachineARN, Name, Status, Input string
		StateMachineAliasARN, StateMachineVersionARN       *string
		StartDate, StopDate                                int64
		InputDetails, OutputDetails                        *struct{ Included bool }
		Output, Error, Cause                               *string
	} `json:"detail"`
}

// decoders decode each file of events/ as its reader does, and refuse what the reader does not know.
var decoders = map[string]func([]byte) error{
	"start.json":             start,
	"start-with-params.json": start,
	"start-inline.json":      start,
	"start-registered.json":  asked,
	"register.json":          register,
	"definitions.json":       into[control.Catalogue],
	"definition.json":        into[control.Catalogue],
	"start-dry-run.json":     start,
	"start-canary.json":      start,
	"approve.json":           into[control.Named],
	"resume.json":            asked,
	"retry.json":             asked,
	"rollback.json":          asked,
	"verify.json":            asked,
	"certificate.json":       into[control.Page],
	"deviations.json":        into[control.Page],
	"report.json":            into[control.Named],
	"rollback-chunks.json":   asked,
	"chunks.json":            into[control.ChunkPage],
	"conflicts.json":         into[control.Page],
	"rejects.json":           into[control.Page],
	"rebuild.json":           into[control.Named],
	"sweep.json":             into[struct{ Action string }],
	"status.json":            into[control.Named],
	"list.json":              into[control.Listing],
	"cancel.json":            into[control.Named],
	"pause.json":             into[control.Pausing],
	"pause-all.json":         into[control.Pausing],
	"resume-all.json":        into[control.Resuming],
	"resume-paused.json":     into[control.Resuming],
	"await.json":             into[control.Awaiting],
	"tune.json":              into[control.Tuning],
	"validate.json": into[struct {
		Action string `json:"action"`
		review.Subject
	}],
	"doctor.json":            into[control.Doctor],
	"dry-run.json":           into[control.Trial],
	"close.json":             into[control.Closing],
	"execution-aborted.json": into[executionEvent],
	"worker-sqs.json":        message,
	"planner-begin.json":     into[planner.Call],
	"planner-plan.json":      into[planner.Call],
	"governor-beat.json":     into[turn.Turn],
}

func into[T any](text []byte) error {
	var value T
	return strict(text, &value)
}

func strict(text []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(value)
}

// start reads a request and its definition, as far as that needs no database.
func start(text []byte) error {
	asked, err := request.Parse(text, "execution")
	if err != nil {
		return err
	}
	var found definition.Definition
	if asked.Definition == "" {
		found, err = backfills.Load(asked.Backfill)
	} else if parsed, problems := definition.Parse([]byte(asked.Definition)); len(problems) > 0 {
		err = problems
	} else {
		found = parsed
	}
	if err != nil {
		return err
	}
	if _, problems := found.Arguments(asked.Params); len(problems) > 0 {
		return problems
	}
	return nil
}

func asked(text []byte) error {
	_, err := request.Parse(text, "execution")
	return err
}

// register reads an input of register, and its definition as far as that needs no database.
func register(text []byte) error {
	var asked control.Registering
	if err := strict(text, &asked); err != nil {
		return err
	}
	_, problems := definition.Parse([]byte(asked.Definition))
	return problems.Err()
}

func message(text []byte) error {
	var event events.SQSEvent
	if err := strict(text, &event); err != nil {
		return err
	}
	return strict([]byte(event.Records[0].Body), &chunk.Message{})
}

func TestEvents(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob(filepath.Join(root, "events", "*"))
	if err != nil || len(found) != len(decoders) {
		t.Errorf("events/ has %d files, and %d are known; error %v", len(found), len(decoders), err)
	}
	for name, decode := range decoders {
		text, err := os.ReadFile(filepath.Join(root, "events", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if err := decode(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// payloads are what the state machines send, by state, and who reads it.
var payloads = map[string]func([]byte) error{
	"Begin": into[planner.Call],
	"Plan":  into[planner.Call],
	"Beat":  into[turn.Turn],
	"Close": into[control.Closing],

	"Paused": into[control.Awaiting],
}

// TestPayloads: the names that a state machine sends are those that the function reads.
func TestPayloads(t *testing.T) {
	t.Parallel()
	var sent []string
	eachState(t, func(_ node, name string, state node) {
		if !invokes(state) {
			return
		}
		sent = append(sent, name)
		names := map[string]any{}
		for key := range state.at("Parameters", "Payload").each() {
			names[strings.TrimSuffix(key, ".$")] = nil
		}
		text, err := json.Marshal(names)
		if err != nil {
			t.Fatal(err)
		}
		if err := payloads[name](text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	if slices.Sort(sent); len(sent) != len(payloads) {
		t.Errorf("%v invoke functions", sent)
	}
}
