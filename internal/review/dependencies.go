package review

import (
	"fmt"

	"backfill/internal/definition"
	"backfill/internal/figure"
	"backfill/internal/ledger"
	"backfill/internal/run"
)

// Unmet is what a start has to wait for, with the way on for each: the backfills that its definition depends on, and that are
// not done in this database.
func Unmet(dependencies []ledger.Dependency) (unmet definition.Problems) {
	for _, d := range dependencies {
		if !d.Done {
			message, remedy := standing(d)
			unmet = append(unmet, definition.Problem{Path: "depends_on", Message: message, Remedy: remedy})
		}
	}
	return unmet
}

func standing(d ledger.Dependency) (message, remedy string) {
	message = fmt.Sprintf("%s is not done: run %s is %s", d.Backfill, d.Newest, d.State)
	switch {
	case d.Newest == "":
		return d.Backfill + " is not done: no run of it has begun in this database", fmt.Sprintf("`backfill start %s`, and wait for its end", d.Backfill)
	case d.State == run.Completed:
		return fmt.Sprintf("%s is not done: of run %s %s rolled back", d.Backfill, d.Newest, figure.Plural(d.RolledBack, "chunk was", "chunks were")),
			fmt.Sprintf("`backfill start %s` under another --run does those rows again", d.Backfill)
	case d.State == run.RolledBack:
		return message, fmt.Sprintf("`backfill start %s` under another --run does it again", d.Backfill)
	case d.State == run.RollingBack:
		return message, fmt.Sprintf("`backfill watch %s` follows it to its end; then start %s again under another --run", d.Newest, d.Backfill)
	case d.State.Pauses(), d.State.Ended():
		return message, fmt.Sprintf("`backfill resume %s --wait` goes on with it", d.Newest)
	}
	return message, fmt.Sprintf("`backfill watch %s` follows it to its end", d.Newest)
}
