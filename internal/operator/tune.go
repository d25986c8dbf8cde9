package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// tuning is the input of tune.
type tuning struct {
	Action   string            `json:"action"`
	Run      string            `json:"run,omitempty"`
	Database any               `json:"database,omitempty"` // true, or the name of one of the stack's
	Rate     *int64            `json:"rate,omitempty"`
	Weight   *int64            `json:"weight,omitempty"`
	Workers  *int64            `json:"workers,omitempty"`
	Limits   map[string]string `json:"limits,omitempty"`
	Budget   *int64            `json:"error_budget,omitempty"`
	WAL      *int64            `json:"wal,omitempty"`
	By       string            `json:"by,omitempty"`
}

func tuneCommand(s *session) *cobra.Command {
	var (
		asked = tuning{Action: "tune", By: s.By}
		words tuningWords
		wide  databaseFlags
	)
	command := &cobra.Command{
		Use:   "tune RUN | --database",
		Short: "Limit the speed of a run, or of all runs of the database",
		Long: `Limits the speed of a run, or with --database of all runs of the database together, whatever stack they belong to.
Workers follow within seconds; what they have committed stays, and a chunk that has no worker any more goes on when there is room.
Runs share what the database allows by their weights; what one has no use for goes to the others.`,
		Example: `  backfill tune email-1 --rate 5000
  backfill tune email-1 --rate none
  backfill tune email-1 --weight 3
  backfill tune email-1 --workers 1
  backfill tune email-1 --limit lock_waiters=4 --limit io_waits=off
  backfill tune email-1 --error-budget 50
  backfill tune --database --rate 20000
  backfill tune --database --wal 20MB
  backfill tune --database --name orders --rate 20000`,
	}
	command.Flags().StringVar(&words.rate, "rate", "", "rows/s, counted as they are read; `N`, 0 or none: no limit")
	command.Flags().StringVar(&words.weight, "weight", "", "`N` shares of the database's rate and workers; a run begins with 1")
	command.Flags().StringVar(&words.workers, "workers", "", "chunks at work at a time; `N`, or none: as many as the stack has workers")
	command.Flags().StringArrayVar(&words.limits, "limit", nil, "`SIGNAL=VALUE`, off (only shown), or default (as in the definition); repeatable")
	command.Flags().StringVar(&words.budget, "error-budget", "", "rows that may be rejected; `N`, or default: as in the definition")
	command.Flags().StringVar(&words.wal, "wal", "", "bytes/s of WAL that the server writes while runs of the database work; `SIZE` like 20MB, or none: no limit")
	command.Flags().BoolVar(&wide.chosen, "database", false, "all runs of the database together")
	command.Flags().StringVar(&wide.name, "name", "", "with --database: `NAME` of one, where the stack has several; default is its own. Without it, each")
	command.Args = func(at *cobra.Command, args []string) error {
		if wide.chosen {
			return none(at, args)
		}
		return oneRun()(at, args)
	}
	command.RunE = runs(func(ctx context.Context, args []string) error {
		asked.Database = wide.asked()
		if err := errors.Join(asked.read(words), wide.check()); err != nil {
			return misused(command, err)
		}
		if !wide.chosen {
			asked.Run = args[0]
		}
		return s.tune(ctx, asked)
	})
	return command
}

// databaseFlags say that a database is meant as a whole, and which.
type databaseFlags struct {
	chosen bool
	name   string // "": each of the stack's
}

func (d databaseFlags) check() error {
	if d.name != "" && !d.chosen {
		return errors.New("--name goes with --database")
	}
	return nil
}

// asked is what the stack is asked for; nil: a run is meant.
func (d databaseFlags) asked() any {
	switch {
	case !d.chosen:
		return nil
	case d.name != "":
		return d.name
	}
	return true
}

// tuningWords are the flags of tune as they were given; "": it was not.
type tuningWords struct {
	rate, weight, workers, budget, wal string
	limits                             []string
}

// read takes the flags.
func (t *tuning) read(words tuningWords) error {
	own := words.weight != "" || words.budget != "" || len(words.limits) > 0
	switch {
	case words.rate == "" && words.workers == "" && words.wal == "" && !own:
		return errors.New("give --rate, --workers, for a run --weight, --limit or --error-budget, or for the database --wal")
	case t.Database != nil && own:
		return errors.New("--weight, --limit and --error-budget belong to a run")
	case t.Database == nil && words.wal != "":
		return errors.New("--wal belongs to the database")
	}
	var problems [6]error
	t.Rate, problems[0] = whole("--rate", none0(words.rate), 0, "rows/s, or none")
	t.Weight, problems[1] = whole("--weight", words.weight, 1, "shares")
	t.Workers, problems[2] = whole("--workers", none0(words.workers), 0, "workers, or none")
	if strings.EqualFold(words.budget, "default") {
		words.budget = "-1"
	}
	t.Budget, problems[3] = whole("--error-budget", words.budget, -1, "rows, or default")
	t.Limits, problems[4] = pairs(words.limits)
	t.WAL, problems[5] = volume("--wal", none0(words.wal))
	return errors.Join(problems[:]...)
}

// pairs reads SIGNAL=VALUE; whether there is such a signal is for the stack to say.
func pairs(words []string) (map[string]string, error) {
	limits := map[string]string{}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if _, twice := limits[name]; !ok || name == "" || value == "" || twice {
			return nil, fmt.Errorf("--limit %s is not SIGNAL=VALUE, or is given twice; backfill status shows the signals", word)
		}
		limits[name] = value
	}
	return limits, nil
}

// units are what a volume is counted in.
var units = map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}

// volume reads a number of bytes, like 20MB or 1.5 GiB; nil: it was not given.
func volume(flag, text string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	digits := strings.TrimRight(text, "BKMGibkmg ")
	unit, known := units[strings.ToUpper(strings.TrimSpace(text[len(digits):]))]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !known || n < 0 || n*unit > 1e15 {
		return nil, fmt.Errorf("%s %s is not a number of bytes, like 20MB, or none", flag, text)
	}
	bytes := int64(n * unit)
	return &bytes, nil
}

// none0 has none mean 0, which lifts a limit.
func none0(text string) string {
	if strings.EqualFold(text, "none") {
		return "0"
	}
	return text
}

// whole reads a number that may have underscores or commas in it; nil: it was not given.
func whole(flag, text string, least int64, what string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(strings.NewReplacer("_", "", ",", "").Replace(text), 10, 64)
	if err != nil || n < least {
		return nil, fmt.Errorf("%s %s is not a whole number of %s", flag, text, what)
	}
	return &n, nil
}

func (s *session) tune(ctx context.Context, asked tuning) error {
	stack, err := s.connect(ctx)
	if err != nil {
		return err
	}
	answer, err := stack.Control.Act(ctx, asked)
	if err != nil && asked.Run != "" {
		return asked.signals(s.unknown(ctx, stack.Control, asked.Run, err))
	}
	if err != nil {
		return err
	}
	var tuned tunedAnswer
	if err := json.Unmarshal(answer, &tuned); err != nil {
		return fmt.Errorf("read the limits: %w", err)
	}
	return s.print(answer, func(w io.Writer) { tuned.print(w, asked) })
}

// signals tells somebody whose limit was not taken, though the run is there, where signals are found.
func (t tuning) signals(err error) error {
	var fault *Fault
	if len(t.Limits) == 0 || !errors.As(err, &fault) {
		return err
	}
	if look, there := strings.CutSuffix(fault.Next, stands); there {
		fault.Next = "docs/signals.md has the signals; " + look + " -o json shows each with its limit"
	}
	return err
}
