package control

import (
	"context"
	"encoding/json"

	"backfill/internal/failure"
	"backfill/internal/prospect"
	"backfill/internal/review"
)

// mostSample bounds the rows before and after.
const mostSample = 50

// Trial is the input of dry_run. Sample is the number of rows of which values are shown, 0 to 50.
type Trial struct {
	Action string `json:"action"`
	review.Subject
	Sample int `json:"sample,omitempty"`
}

// dryRun tells what a run would do. It neither makes the schema nor brings it to a new version.
func (c *Control) dryRun(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Trial
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if asked.Sample < 0 || asked.Sample > mostSample {
		return nil, failure.New(failure.Invalid, "sample %d is not within 0 to %d", asked.Sample, mostSample)
	}
	return c.Rehearser.Rehearse(ctx, asked.Subject, asked.Sample)
}

// mayLook refuses to the alias "read" what an action that it serves would show or run beyond a look: values of rows, and the SQL of a text.
func mayLook(action string, input json.RawMessage) error {
	if action != "dry_run" {
		return nil
	}
	var asked Trial
	if err := decode(input, &asked); err != nil {
		return err
	}
	if asked.Sample != 0 || asked.Definition != "" {
		return failure.New(failure.Invalid, `the alias "read" serves "dry_run" without a sample, and by the name of a definition only: invoke the function itself`)
	}
	return nil
}

// withoutValues takes from a dry run what may hold a row's value beside the sample: the plan, in which Postgres writes what it has folded.
func withoutValues(answer any) any {
	if found, dry := answer.(prospect.Prospect); dry {
		found.Plan.Lines = []string{}
		return found
	}
	return answer
}
