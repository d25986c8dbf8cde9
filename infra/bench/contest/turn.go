package contest

import (
	"context"
	"fmt"

	"backfill/infra/bench/contender"
	"backfill/infra/bench/ground"
	"backfill/infra/bench/report"
	"backfill/infra/bench/users"
)

// turn is one contender on one table.
type turn struct {
	round     int
	rows      int64
	place     Place
	group     Group
	contender contender.Contender
	say       func(format string, args ...any)
}

// take makes the table, has each leg work, and checks what it did.
func (t turn) take(ctx context.Context) ([]report.Figure, error) {
	table, err := t.place.Ground.Make(ctx, t.group.Task, t.rows)
	if err != nil {
		return nil, err
	}
	legs, err := t.contender.Enter(ctx, table)
	if err != nil {
		return nil, err
	}
	if t.group.First {
		legs = legs[:1]
	}
	var figures []report.Figure
	for _, leg := range legs {
		figure, err := t.measure(ctx, table, leg)
		if err != nil {
			return figures, err
		}
		figures = append(figures, figure)
		t.say("round %d  %s  %-8s %-30s %7.2f s", t.round, t.place.Name, t.label(), t.manned(leg.Name), figure.Seconds)
	}
	return figures, nil
}

func (t turn) manned(leg string) string {
	if t.contender.Workers == 0 {
		return leg
	}
	return fmt.Sprintf("%s (%d)", leg, t.contender.Workers)
}

func (t turn) label() string {
	switch {
	case t.group.Beside:
		return Users
	case t.group.Planning:
		return "plan"
	}
	return t.group.Task.Name
}

func (t turn) measure(ctx context.Context, table *ground.Table, leg contender.Leg) (report.Figure, error) {
	f := report.Figure{Round: t.round, Leg: leg.Name, Workers: t.contender.Workers, Section: report.Section{
		Server: t.place.Name, Rows: t.rows, Task: t.group.Task.Name, Beside: t.group.Beside, Planning: t.group.Planning,
	}}
	expected := t.rows
	if leg.Same {
		expected = 0
	}
	work := func(ctx context.Context) (err error) {
		f.Cost, err = t.place.Meter.Measure(ctx, table, expected, leg.Work)
		return err
	}
	written, err := int64(0), error(nil)
	if t.group.Beside {
		var seen users.Seen
		seen, err = users.Beside(ctx, table, work)
		f.Users, written = &seen, seen.Written
	} else {
		err = work(ctx)
	}
	if err != nil {
		return f, err
	}
	if leg.Notes != nil {
		if f.Notes, err = leg.Notes(ctx); err != nil {
			return f, err
		}
	}
	return f, table.Check(ctx, leg.Back, written)
}
