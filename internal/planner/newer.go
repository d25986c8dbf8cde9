package planner

import (
	"context"
	"slices"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/ledger"
)

// mayGoOn refuses to bring a run back forward that has ended and that a newer one has followed on the same column: what it
// has left to do, it would do over the newer values. Nobody can force it, as a rollback can be forced: that leaves newer values alone. One that
// goes on still has kept the others off its tables; and an execution that has the run already asks once more.
func (p *Planner) mayGoOn(ctx context.Context, id, execution string) error {
	stored, err := p.Ledger.Run(ctx, id)
	if err != nil || stored.Execution == execution || !stored.State.Ended() || stored.Action == "rollback" {
		return err
	}
	newer, column, err := p.newer(ctx, stored, overwritten)
	if err != nil || column == "" {
		return err
	}
	return failure.New(failure.Invalid, "run %s is newer and wrote %s of column %s: what run %s has left to do would be written over that. "+
		"Start its definition under another --run, for what the newer run left; or roll the newer one back first, `backfill rollback %s`",
		newer.Run, figure.Plural(newer.Written, "row", "rows"), column, id, newer.Run)
}

// newer is the newest run after this one that matters, and how, as matters tells; "": there is none.
func (p *Planner) newer(ctx context.Context, stored ledger.Run, matters func(older change.Change, newer ledger.Later) string) (ledger.Later, string, error) {
	later, err := p.Ledger.Newer(ctx, stored.Run)
	if err != nil {
		return ledger.Later{}, "", err
	}
	for _, run := range later {
		if how := matters(stored.Change, run); how != "" {
			return run, how, nil
		}
	}
	return ledger.Later{}, "", nil
}

// overwritten names a column whose newer values an older run would write over. What one of the two deletes has no values.
func overwritten(older change.Change, newer ledger.Later) string {
	return together(older, newer.Change, func(o, n change.Effect) string { return shared(o.Columns, slices.Concat(n.Columns, n.Fills)) })
}

// together asks about each table that both changes write, until there is an answer.
func together(older, newer change.Change, ask func(older, newer change.Effect) string) string {
	for _, o := range older.Effects() {
		for _, n := range newer.Effects() {
			if o.Table != n.Table {
				continue
			}
			if answer := ask(o, n); answer != "" {
				return answer
			}
		}
	}
	return ""
}

// shared names a column that both have, "" where there is none.
func shared(a, b []string) string {
	for _, column := range a {
		if slices.Contains(b, column) {
			return column
		}
	}
	return ""
}
