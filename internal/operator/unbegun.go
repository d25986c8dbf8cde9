package operator

import (
	"context"
	"fmt"
	"strings"

	"backfill/internal/run"
)

// began tells a run that the planner accepted from the record of one that it refused: that has no table.
func began(status run.Status) bool { return status.Table != "" }

// anew is what to do about a run that never began.
const anew = "nothing was written; start it again, with another --run or none"

// unbegun is the fault of asking something of a run that never began.
func unbegun(status run.Status, exit int) *Fault {
	fault := &Fault{Exit: exit, Message: fmt.Sprintf("run %s never began", status.Run), Next: anew}
	reason, problems := split(status.Reason)
	if reason != "" {
		fault.Message += ": " + reason
	}
	fault.Problems = problems
	return fault
}

// stands ends the advice about a run that is there.
const stands = " shows how the run stands"

// unknown tells somebody who gave an id that the stack does not take where ids are found, or that the run never began. Where the run is
// there, it is something else that was not taken.
func (s *session) unknown(ctx context.Context, control Control, id string, err error) error {
	if !isInvalid(err) {
		return err
	}
	status, _, missing := statusOf(ctx, control, id)
	if missing == nil && !began(status) {
		return unbegun(status, exitInvalid)
	}
	fault := asFault(ctx, err)
	if fault.Next = s.suggest("list") + " shows the runs"; missing == nil {
		fault.Next = s.suggest("status", id) + stands
	}
	return fault
}

// brief is a reason as one cell of a list: of many problems the first.
func brief(reason string) string {
	headline, problems := split(reason)
	if len(problems) == 0 {
		return headline
	}
	return headline + ", first " + strings.TrimSpace(problems[0])
}
