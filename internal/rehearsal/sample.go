package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/failure"
	"backfill/internal/prospect"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// sample reads the first row in scope of some of the stretches, and computes what it would hold.
func (l *look) sample(ctx context.Context, found places, rows int) error {
	if rows > 0 && !statement.Foresees(l.change) {
		l.found.Unknown = append(l.found.Unknown, fmt.Sprintf("rows after the change: a %s cannot be tried without writing", l.change.Kind))
	}
	count := min(rows, len(found.scoped))
	for i := range count {
		if l.late("some rows of the sample") {
			break
		}
		span := found.scoped[i*len(found.scoped)/count]
		row, err := l.first(ctx, span)
		switch {
		case noRows(err):
		case err == nil:
			l.found.Sample = append(l.found.Sample, row)
		case failure.Is(err, failure.Data):
			l.found.Sample = append(l.found.Sample, prospect.Row{Error: fmt.Sprintf("a row within %s: %s",
				statement.Within(l.change.Key, span.Range), failure.Safe(err))})
		default:
			if err := l.miss("a row within "+statement.Within(l.change.Key, span.Range), err); err != nil {
				return err
			}
		}
	}
	return nil
}

// first is the first row in scope of a span.
func (l *look) first(ctx context.Context, span statement.Span) (row prospect.Row, err error) {
	err = l.read(ctx, func(tx pgx.Tx) error {
		err := pgx.ErrNoRows
		for _, query := range statement.Sample(l.change, span) {
			if row, err = l.one(ctx, tx, query); !noRows(err) {
				return err
			}
		}
		return err
	})
	return row, err
}

func (l *look) one(ctx context.Context, tx pgx.Tx, query statement.Query) (row prospect.Row, err error) {
	var differs bool
	var long []bool
	if err := tx.QueryRow(ctx, query.SQL, query.Args...).Scan(&row.Key, &row.Before, &row.After, &differs, &long); err != nil {
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
