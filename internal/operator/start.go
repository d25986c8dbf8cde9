package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"backfill/internal/failure"
	"backfill/internal/request"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

func startCommand(s *session) *cobra.Command {
	var from naming
	var id string
	var wait bool
	command := &cobra.Command{
		Use:   "start NAME | -f FILE",
		Short: "Start a run",
		Long: `Starts a run and follows it until it is accepted, or refused with all that is wrong.
The run goes on by itself. A start that is repeated with the same --run is the same run.`,
		Example: `  backfill start users-email-normalized
  backfill start users-display-name -p since=2022-01-01 --run display-name-1
  backfill start -f users.yaml --wait`,
	}
	from.flags(command)
	command.Flags().StringVar(&id, "run", "", "`ID` of the run (default NAME-yyyymmdd-hhmmss)")
	command.Flags().BoolVar(&wait, "wait", false, "follow the run to its end, as watch does")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		subject, err := from.read(s, command, args, false)
		if err != nil {
			return err
		}
		if id == "" {
			id = newID(subject.name, s.Now())
		}
		return s.start(ctx, subject, id, wait)
	})
	return command
}

func (s *session) start(ctx context.Context, subject subject, id string, wait bool) error {
	input, err := execution(subject, id)
	if err != nil {
		return err
	}
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	again, err := begin(ctx, stack.Executions, id, input)
	if err != nil {
		return err
	}
	if again {
		fmt.Fprintf(s.Err, "run %s was started before, with the same input; this is that run\n", id)
	}
	status, answer, err := s.acceptance(ctx, stack, subject, id)
	if err != nil {
		return refusedBefore(err, again, id)
	}
	if wait || status.State.Ended() {
		return s.follow(ctx, id, s.untilEnded(stack.Control, id, run.Completed))
	}
	return s.print(answer, func(w io.Writer) { s.begun(w, status) })
}

// refusedBefore says of a refusal that is not of today that an id serves once.
func refusedBefore(err error, again bool, id string) error {
	var fault *Fault
	if again && errors.As(err, &fault) && (fault.Class == string(failure.Invalid) || fault.Class == string(failure.Busy)) {
		fault.Next = "that was the answer when " + id + " was first started; give another --run, or leave it out, to try it now"
	}
	return err
}

// execution is the input of the execution: what events/start.json shows.
func execution(subject subject, id string) ([]byte, error) {
	asked := request.Request{Action: request.Start, Params: subject.params, Definition: subject.text}
	if subject.file == "" {
		asked.Backfill = subject.name
	}
	return written(asked, id)
}

// begin starts the execution, unless it was started before.
func begin(ctx context.Context, executions Executions, id string, input []byte) (again bool, err error) {
	found, err := executions.Find(ctx, id)
	if errors.Is(err, ErrNoExecution) {
		err = executions.Start(ctx, id, input)
		if !errors.Is(err, ErrExecutionExists) {
			return false, err
		}
		found, err = executions.Find(ctx, id) // somebody was quicker
	}
	if err != nil {
		return false, err
	}
	if !same(found.Input, input) {
		return false, &Fault{Exit: exitInvalid, Message: fmt.Sprintf("run %s was started before, with another input", id),
			Next: "give another --run, or leave it out"}
	}
	return true, nil
}

// same compares inputs by what they say.
func same(one string, other []byte) bool {
	return reflect.DeepEqual(parsed([]byte(one)), parsed(other))
}

func parsed(input []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber()
	var value any
	_ = decoder.Decode(&value) // what is no JSON is like nothing that begin sends
	return value
}
