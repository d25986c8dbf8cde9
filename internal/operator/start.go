package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"backfill/internal/request"
	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// start is what is asked of the command.
type start struct {
	subject subject
	id      string
	canary  string   // the share of chunks to begin with; "": all
	chosen  bool     // the id was given
	words   []string // how it was typed, without the id and --wait
	wait    bool
}

func startCommand(s *session) *cobra.Command {
	var from naming
	var asked start
	var trial dry
	command := &cobra.Command{
		Use:   "start NAME | -f FILE",
		Short: "Start a run",
		Long: `Starts a run and follows it until it is accepted, or refused with all that is wrong.
NAME is a definition that is compiled in, or registered: then its newest version, and NAME@2 is the second.
The run goes on by itself. A start that is repeated with the same --run is the same run; an id whose start was refused is
spent, as Step Functions keeps the name of its execution.
With --dry-run nothing begins: it shows what stands in the way, what would be sent to Postgres and by which plan, how many rows
are in scope, what it may take, and some rows before and after. Exit code 1 where something stands in the way.
With --canary that share of its chunks, spread over the table, is worked on and verified as far as the change can be; then the run waits as PAUSED, with a
forecast of the rest, until somebody types approve, or rollback. --wait follows it until then.`,
		Example: `  backfill start users-email-normalized
  backfill start users-display-name -p since=2022-01-01 --run display-name-1
  backfill start orders-cents@2
  backfill start -f users.yaml --dry-run
  backfill start users-email-normalized --run email-1 --canary 1%
  backfill start -f users.yaml --wait`,
	}
	from.flags(command)
	trial.flags(command)
	command.Flags().StringVar(&asked.id, "run", "", "`ID` of the run (default NAME-yyyymmdd-hhmmss)")
	command.Flags().StringVar(&asked.canary, "canary", "", "`SHARE` of the chunks, 0.1% to 50%, that are worked on before the run waits for an approval")
	command.Flags().BoolVar(&asked.wait, "wait", false, "follow the run to its end, as watch does")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		var err error
		if asked.subject, err = from.read(s, command, args, false); err != nil {
			return err
		}
		if err := trial.check(command); err != nil {
			return err
		}
		if trial.run && asked.canary != "" {
			return misused(command, errors.New("--dry-run writes nothing: leave out --canary"))
		}
		if trial.run {
			return s.dryRun(ctx, asked.subject, trial)
		}
		asked.words = slices.Concat([]string{"start"}, args, flagsOf(command, "run", "wait"))
		if asked.chosen = asked.id != ""; !asked.chosen {
			asked.id = newID(asked.subject.name, s.Now())
		}
		return s.start(ctx, asked)
	})
	return command
}

func (s *session) start(ctx context.Context, asked start) error {
	id := asked.id
	input, err := execution(asked.subject, id, asked.canary)
	if err != nil {
		return err
	}
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	again, err := begin(ctx, stack.Executions, id, input)
	if errors.Is(err, errOther) {
		return s.taken(ctx, stack, asked)
	}
	if err != nil {
		return err
	}
	if again {
		fmt.Fprintf(s.Err, "run %s was started before, with the same input; this is that run\n", id)
	}
	status, answer, err := s.acceptance(ctx, stack, asked.subject, id)
	if err != nil {
		return s.spent(ctx, stack, asked, again, err)
	}
	if asked.wait || status.State.Ended() {
		return s.follow(ctx, id, s.untilEnded(stack.Control, id, run.Completed))
	}
	return s.print(answer, func(w io.Writer) { s.begun(w, status) })
}

// execution is the input of the execution: what events/start.json shows.
func execution(subject subject, id, canary string) ([]byte, error) {
	asked := request.Request{Action: request.Start, Params: subject.params, Definition: subject.text, Canary: canary}
	if subject.file == "" {
		asked.Backfill = subject.name
	}
	return written(asked, id)
}

// errOther is returned by begin where the name was used for something else.
var errOther = errors.New("started before, with another input")

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
		return false, fmt.Errorf("run %s: %w", id, errOther)
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
