package operator

import (
	"context"
	"fmt"
	"io"

	"backfill/internal/run"

	"github.com/spf13/cobra"
)

func cancelCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel RUN",
		Short: "Stop a run; what was committed stays",
		Long: `Stops a run, or its rollback: no batch begins any more, batches that are at work are finished, then the run is CANCELLED.
What was committed stays. A run whose verification is stopped is COMPLETED as before.`,
		Example: "  backfill cancel email-1",
		Args:    oneRun(),
		RunE: runs(func(ctx context.Context, args []string) error {
			stack, err := s.connect(ctx)
			if err != nil {
				return err
			}
			answer, err := stack.Control.Act(ctx, named{Action: "cancel", Run: args[0], By: s.By})
			if err != nil {
				return s.unknown(ctx, stack.Control, args[0], err)
			}
			status, err := decodeStatus(answer)
			if err != nil {
				return err
			}
			if err := s.print(answer, func(w io.Writer) { s.cancelled(w, status) }); err != nil {
				return err
			}
			return s.tooLate(status)
		}),
	}
}

// cancelled tells how far a cancel is. It shows no figures: those in the answer may be older than the last batches.
func (s *session) cancelled(w io.Writer, status run.Status) {
	switch {
	case unverified(status):
		fmt.Fprintf(w, "the verification of run %s is cancelled: it is %s as before, without a certificate\n", status.Run, s.painted(w, status.State))
	case status.State == run.Cancelled:
		fmt.Fprintf(w, "run %s is %s; %s\n", status.Run, s.standing(w, status), stays(status))
		offer(w, append([]step{{s.suggest("status", status.Run), "show the figures"}}, s.steps(status)...)...)
	case !status.State.Ended():
		fmt.Fprintf(w, "run %s is %s: no batch begins any more\n", status.Run, s.painted(w, status.State))
		offer(w, step{s.suggest("watch", status.Run), "follow it to its end"})
	}
}

// tooLate is the fault of a run that ended before it could be cancelled.
func (s *session) tooLate(status run.Status) error {
	if !status.State.Ended() || status.State == run.Cancelled || unverified(status) {
		return nil
	}
	return &Fault{Exit: exitFailed, Message: fmt.Sprintf("run %s had ended before: it is %s", status.Run, status.State),
		Next: s.advice(status), answered: true}
}
