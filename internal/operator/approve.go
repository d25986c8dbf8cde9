package operator

import (
	"context"
	"fmt"

	"backfill/internal/figure"
	"backfill/internal/request"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

func approveCommand(s *session) *cobra.Command {
	var wait bool
	command := &cobra.Command{
		Use:   "approve RUN",
		Short: "Have a run go on whose canary has come to its end",
		Long: `Lets a run that was started with --canary go on with the chunks that it has held back; status shows what the canary has found, and what
the rest will take. Chunks of the canary that failed are tried again. Instead of it, rollback takes the canary back, and cancel ends the run there.`,
		Example: `  backfill status email-1
  backfill approve email-1 --wait`,
		Args: oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error { return s.approve(ctx, args[0], wait) }),
	}
	command.Flags().BoolVar(&wait, "wait", false, "follow the run to its end, as watch does")
	return command
}

// approve ends the pause. Where the execution that waited is gone, another one goes on with the run.
func (s *session) approve(ctx context.Context, id string, wait bool) error {
	asked := request.Request{Action: request.Resume, Run: id}
	input, err := written(asked, "")
	if err != nil {
		return err
	}
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	lost, err := s.unpause(ctx, stack, "approve", id, wait)
	if err != nil {
		return s.unknown(ctx, stack.Control, id, err)
	}
	if !lost {
		return nil
	}
	return s.carryOut(ctx, stack, asked, input, wait)
}

// unapproved tells whether the run waits for an approval.
func unapproved(status run.Status) bool {
	return status.Pause != nil && status.Pause.For == run.ForCanary
}

// passed tells whether the run waits for an approval, and nothing that was found speaks against it.
func passed(status run.Status) bool {
	if !unapproved(status) || status.Canary == nil || status.Canary.Forecast == nil {
		return false
	}
	found := status.Canary.Forecast
	return found.Failed == 0 && (found.Verified == nil || found.Verified.Deviating == 0)
}

// endCanary ends a run that waits for an approval, so that it can be rolled back: its execution ends with it.
func (s *session) endCanary(ctx context.Context, stack Stack, id string) error {
	answer, err := stack.Control.Act(ctx, named{Action: "cancel", Run: id, By: s.By})
	if err != nil {
		return err
	}
	status, err := decodeStatus(answer)
	if err == nil && !status.State.Ended() {
		return &Fault{Exit: exitFailed, Message: fmt.Sprintf("run %s is %s: it was let go on meanwhile, and is ending now", id, status.State),
			Next: s.suggest("rollback", id) + " when it has ended"}
	}
	return err
}

// canaryOf is how far a canary is, and what it has shown, in lines.
func canaryOf(status run.Status) (lines []string) {
	c := status.Canary
	if c == nil {
		return nil
	}
	f := c.Forecast
	switch {
	case f == nil && c.Approved:
		return nil
	case f == nil:
		return []string{fmt.Sprintf("%s of the chunks first%s; %s then for an approval", c.Share, looked(status), waiting(c.Held))}
	case status.State.Ended() && !c.Approved:
		return []string{"it was not approved"}
	}
	lines = []string{fmt.Sprintf("%s: %s, %s read, %s written; %s", f.Share, figure.Plural(f.Chunks, "chunk", "chunks"), figure.Count(f.Keys), figure.Count(f.Written), checkedOf(*f))}
	if f.Left.Chunks == 0 {
		return append(lines, "nothing is left to do")
	}
	of := "left"
	if c.Approved {
		of = "then left"
	}
	lines = append(lines, fmt.Sprintf("%s %s of %s rows to read", figure.Plural(f.Left.Chunks, "chunk", "chunks"), of, figure.Count(f.Left.Keys)))
	for _, part := range []struct {
		what  string
		found *run.Range
		as    func(int64) string
	}{{"rows to write", f.Rows, figure.Count}, {"time", f.Seconds, seconds}, {"WAL", f.WAL, size}, {"growth", f.Growth, size}} {
		if part.found != nil {
			lines = append(lines, fmt.Sprintf("%s: about %s, %s to %s", part.what, part.as(part.found.Value), part.as(part.found.From), part.as(part.found.To)))
		}
	}
	return lines
}

// looked is how many rows of a canary that is worked off were looked at once more, as a part of a list.
func looked(status run.Status) string {
	if c := status.Canary; c == nil || c.Looking == 0 {
		return ""
	}
	return ", " + figure.Plural(status.Rows.Verified, "row", "rows") + " looked at once more" + deviations(status.Rows)
}

func waiting(held int64) string {
	if held == 1 {
		return "1 waits"
	}
	return figure.Count(held) + " wait"
}

// checkedOf says what became of the canary's rows.
func checkedOf(f run.Forecast) string {
	switch {
	case f.Failed > 0:
		return figure.Plural(f.Failed, "chunk", "chunks") + " FAILED"
	case f.Verified == nil:
		return "not verified by value: " + f.Unfit
	case f.Verified.Deviating > 0:
		return fmt.Sprintf("%s of %s in scope do NOT hold what they should", figure.Count(f.Verified.Deviating), figure.Count(f.Verified.Rows))
	}
	return figure.Count(f.Verified.Rows) + " in scope verified"
}
