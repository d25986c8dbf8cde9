package control

import (
	"context"
	"encoding/json"
)

// Doctor is the input of doctor.
type Doctor struct {
	Action string `json:"action"`
}

// doctor looks at the database. What is wrong there is in the answer, and no error of the action.
func (c *Control) doctor(ctx context.Context, input json.RawMessage) (any, error) {
	if err := decode(input, &Doctor{}); err != nil {
		return nil, err
	}
	return c.Examiner.Examine(ctx), nil
}
