package operator

import (
	"fmt"
	"io"
	"strings"

	"backfill/internal/figure"
	"backfill/internal/run"
)

// tunedAnswer are the limits that hold now, of one database or of each that was tuned.
type tunedAnswer struct {
	State run.State `json:"state,omitempty"` // of a run that has ended
	run.Limits
	Several []tunedOne `json:"databases,omitempty"`
}

// tunedOne are those of one of them.
type tunedOne struct {
	Name string `json:"name"`
	run.Limits
}

// print tells the limits of what was tuned, and those of the databases.
func (t tunedAnswer) print(w io.Writer, asked tuning) {
	limits := t.Limits
	if asked.Run != "" {
		fmt.Fprintf(w, "run %s: %s%s, weight %s%s\n", asked.Run, rateOf(limits.Rate), workersOf(limits.Workers), figure.Count(int64(limits.Weight)), overOf(limits, ", "))
		if t.State != "" {
			fmt.Fprintf(w, "  it is %s: %s\n", t.State, afterwards(t.State))
		}
	}
	for _, one := range t.Several {
		fmt.Fprintf(w, "all runs of database %s together: %s\n", printable(one.Name), wholeOf(one.Limits))
	}
	if name, named := asked.Database.(string); named {
		fmt.Fprintf(w, "all runs of database %s together: %s\n", name, wholeOf(limits))
	} else if t.Several == nil {
		fmt.Fprintf(w, "all runs of the database together: %s\n", wholeOf(limits))
	}
}

// afterwards says what the limits of a run that has ended are good for.
func afterwards(state run.State) string {
	switch state {
	case run.RolledBack:
		return "there is nothing left to limit"
	case run.Completed:
		return "the limits hold for its rollback, its retry and its verification"
	default:
		return "the limits hold when it is resumed, and for its rollback"
	}
}

// wholeOf are the limits of a database, which its runs share.
func wholeOf(limits run.Limits) string {
	return rateOf(limits.Database) + workersOf(limits.DatabaseWorkers) + walOf(limits.DatabaseWAL)
}

// rateOf is a limit in words.
func rateOf(rate *float64) string {
	if rate == nil {
		return "no limit"
	}
	return "at most " + figure.Count(int64(*rate)) + " rows/s"
}

// workersOf is a limit of workers, as the next part of a list.
func workersOf(workers *int64) string {
	if workers == nil {
		return ""
	}
	return ", at most " + figure.Plural(*workers, "worker", "workers") + " at a time"
}

// overOf is what a person has set in place of what the definition says.
func overOf(limits run.Limits, before string) string {
	var parts []string
	if text := limits.Signals.String(); text != "" {
		parts = append(parts, "limits "+text)
	}
	if limits.ErrorBudget != nil {
		parts = append(parts, "error budget "+figure.Count(*limits.ErrorBudget))
	}
	if len(parts) == 0 {
		return ""
	}
	return before + strings.Join(parts, ", ")
}

// walOf is a limit of WAL, as the next part of a list.
func walOf(wal *float64) string {
	if wal == nil {
		return ""
	}
	return ", at most " + figure.Bytes(*wal) + "/s of WAL"
}
