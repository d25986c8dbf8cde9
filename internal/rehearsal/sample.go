package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/prospect"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// sample reads rows in scope, spread over the stretches, and computes what they would hold.
func (l *look) sample(ctx context.Context, found places, rows int) error {
	if rows > 0 && !statement.Foresees(l.change) {
		l.found.Unknown = append(l.found.Unknown, fmt.Sprintf("rows after the change: a %s cannot be tried without writing", l.change.Kind))
	}
	for i, most := range shares(found.scoped, rows) {
		if most == 0 {
			continue
		}
		if l.late("some rows of the sample") {
			break
		}
		if err := l.show(ctx, found.scoped[i].Span, most); err != nil {
			return err
		}
	}
	if len(found.scoped) > 0 && !statement.Tries(l.change) {
		l.found.Unknown = append(l.found.Unknown, fmt.Sprintf("whether a row fails: a value is another each time, so expressions were tried on %s only",
			figure.Plural(int64(len(l.found.Sample)), "row", "rows")))
	}
	return nil
}

// shares tells how many rows to take of each stretch: one of some of them where there are enough, else several as far as they have more.
func shares(of []scoped, rows int) []int {
	most := make([]int, len(of))
	if rows < len(of) {
		for i := range rows {
			most[i*len(of)/rows] = 1
		}
		return most
	}
	for given := true; given && rows > 0; {
		given = false
		for i, stretch := range of {
			if rows > 0 && (stretch.rows == unknown || int64(most[i]) < stretch.rows) {
				most[i], rows, given = most[i]+1, rows-1, true
			}
		}
	}
	return most
}

// show puts the first rows of a span into the sample. Where one of several cannot be computed, the first of them is tried alone.
func (l *look) show(ctx context.Context, span statement.Span, most int) error {
	rows, err := l.firsts(ctx, span, most)
	if most > 1 && failure.Is(err, failure.Data) {
		rows, err = l.firsts(ctx, span, 1)
	}
	where := "a row within " + statement.Within(l.change.Key, span.Range)
	switch {
	case err == nil:
		l.found.Sample = append(l.found.Sample, rows...)
	case failure.Is(err, failure.Data):
		l.found.Sample = append(l.found.Sample, prospect.Row{Error: where + ": " + failure.Safe(err)})
	default:
		return l.miss(where, err)
	}
	return nil
}

// firsts are the first rows in scope of a span.
func (l *look) firsts(ctx context.Context, span statement.Span, most int) (all []prospect.Row, err error) {
	err = l.read(ctx, func(tx pgx.Tx) error {
		all = nil
		for _, query := range statement.Sample(l.change, span, most) {
			rows, _ := tx.Query(ctx, query.SQL, query.Args...)
			some, err := pgx.CollectRows(rows, l.row)
			if err != nil {
				return err
			}
			if all = append(all, some...); len(all) >= most {
				all = all[:most]
				return nil
			}
		}
		return nil
	})
	return all, err
}

func (l *look) row(read pgx.CollectableRow) (row prospect.Row, err error) {
	var differs bool
	var long []bool
	if err := read.Scan(&row.Key, &row.Before, &row.After, &differs, &long); err != nil {
		return row, err
	}
	row.Same = !differs
	for _, values := range [][]*string{row.Before, row.After} {
		for _, value := range values {
			if value != nil {
				short, cut := statement.Cut(*value)
				*value, row.Cut = short, row.Cut || cut
			}
		}
	}
	row.Error = l.fault(row.After, long)
	if len(row.After) == 0 {
		row.After = nil
	}
	return row, nil
}

// fault says why a row would fail that could be computed, "" where nothing is known against it.
func (l *look) fault(after []*string, long []bool) string {
	var faults []string
	for i, value := range after {
		switch to := l.change.Shown()[i]; {
		case long[i]:
			faults = append(faults, fmt.Sprintf("column %s: the value is longer than %s takes", to.Column, to.Type))
		case value == nil && l.change.Copy == nil && slices.Contains(l.facts.NotNull, to.Column):
			faults = append(faults, fmt.Sprintf("column %s takes no NULL", to.Column))
		}
	}
	if len(faults) == 0 {
		return ""
	}
	return strings.Join(faults, "; ") + ": the row would fail"
}
