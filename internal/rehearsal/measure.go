package rehearsal

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/failure"
	"backfill/internal/figure"
	"backfill/internal/keyset"
	"backfill/internal/prospect"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

const (
	// walkable is how many keys are walked to count them, about 10 million a second where they are in memory; of a larger table the
	// catalog's estimate has to do.
	walkable = 10_000_000
	// window of that walk: its snapshot lives for a part of a second.
	window = 1_000_000
	// walking is how long the walk may take in all.
	walking = 8 * time.Second
	// spread is the number of stretches of the key space in which rows are looked at, each of so many keys.
	spread, stretch = 10, 5_000
	// ordinary is the number of keys in a batch.
	ordinary = 1_000
)

// places are where the table is looked at.
type places struct {
	ranges []keyset.Range   // all chunks, where the whole key was walked
	spans  []statement.Span // stretches, in the order of the keys
	scoped []scoped         // those of them that may have a row in scope
}

// scoped is a stretch with so many rows in scope; unknown of one that could not be counted.
type scoped struct {
	statement.Span
	rows int64
}

const unknown = -1

// middle is a point in the midst of the keys, nil for their beginning.
func (p places) middle() keyset.Point {
	if len(p.spans) == 0 {
		return nil
	}
	return p.spans[len(p.spans)/2].Lo
}

// measure tells how many rows and chunks there are, and how many of the rows are in scope.
func (l *look) measure(ctx context.Context) (places, error) {
	var found places
	extent := &l.found.Extent
	if l.bound == nil {
		*extent = prospect.Extent{Counted: true}
		extent.Reckon(nil, true)
		return found, nil
	}
	if err := l.walk(ctx, &found); err != nil {
		return found, err
	}
	all := extent.Counted && extent.Rows <= spread*stretch
	err := l.spread(ctx, &found, all)
	if err != nil {
		return found, err
	}
	stretches, err := l.tally(ctx, &found, all)
	if err == nil {
		extent.Reckon(stretches, all && len(stretches) == len(found.spans))
	}
	return found, err
}

// walk cuts the table into its chunks, if that is quick; else their number is an estimate.
func (l *look) walk(ctx context.Context, found *places) error {
	extent, size := &l.found.Extent, l.change.ChunkRows
	extent.Chunks = (extent.Rows + size - 1) / size
	if extent.Rows > walkable {
		return nil
	}
	var ranges []keyset.Range
	var keys int64
	var from keyset.Point
	for end := time.Now().Add(walking); time.Now().Before(end); {
		cut, err := boundary.Cut(ctx, l.conn, l.change, from, l.bound, int(max(1, window/size)))
		if err != nil {
			return l.miss("the number of chunks", err)
		}
		for i := range cut.Ranges {
			ranges, keys = append(ranges, cut.Ranges[i]), keys+cut.Keys[i]
		}
		if cut.Closed {
			found.ranges = ranges
			extent.Rows, extent.Chunks, extent.Counted = keys, int64(len(ranges)), true
			return nil
		}
		from = ranges[len(ranges)-1].Hi
	}
	return nil
}

// spread chooses the stretches. All: they are the table, so that what is counted in them is exact.
func (l *look) spread(ctx context.Context, found *places, all bool) error {
	if all {
		return l.whole(ctx, found)
	}
	starts, err := l.starts(ctx, found.ranges)
	if err != nil {
		return l.miss("rows in scope", err)
	}
	for _, from := range starts {
		span, err := l.next(ctx, from, stretch)
		if err != nil {
			return l.miss("rows in scope", err)
		}
		if span != nil {
			found.spans = append(found.spans, *span)
		}
	}
	return nil
}

// whole cuts all keys into stretches of equal size.
func (l *look) whole(ctx context.Context, found *places) error {
	var from keyset.Point
	for {
		span, err := l.next(ctx, from, (l.found.Extent.Rows+spread-1)/spread)
		if err != nil || span == nil {
			return l.miss("rows in scope", err)
		}
		found.spans = append(found.spans, *span)
		from = span.Hi
		if len(found.spans) > 2*spread { // rows come in faster than they are counted
			return nil
		}
	}
}

// starts are points spread over the keys: of chunks where they are known, else of pages that are picked by chance.
func (l *look) starts(ctx context.Context, ranges []keyset.Range) (points []keyset.Point, err error) {
	if len(ranges) > 0 {
		for i := range min(spread, len(ranges)) {
			points = append(points, ranges[i*len(ranges)/min(spread, len(ranges))].Lo)
		}
		return points, nil
	}
	percent := min(100, 100*2*float64(spread)/float64(max(l.facts.Pages, 1)))
	query := statement.Scattered(l.change, percent, 4*spread)
	err = l.read(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query.SQL, query.Args...)
		points, err = pgx.CollectRows(rows, pgx.RowTo[keyset.Point])
		return err
	})
	if len(points) == 0 { // no page was picked, or none that has a row
		points = []keyset.Point{nil}
	}
	for len(points) > spread { // every second, until few enough are left
		var fewer []keyset.Point
		for i := 0; i < len(points); i += 2 {
			fewer = append(fewer, points[i])
		}
		points = fewer
	}
	return points, err
}

// tally counts in each stretch. One with a row that does not allow the change is not counted: it is told. Apart: no row is in two of them.
func (l *look) tally(ctx context.Context, found *places, apart bool) (counted []prospect.Stretch, err error) {
	var poor []string
	for _, span := range found.spans {
		if l.late("rows in scope of some stretches") {
			break
		}
		sum, err := l.count(ctx, span)
		if err != nil {
			sum.InScope = unknown
		}
		if sum.InScope != 0 {
			found.scoped = append(found.scoped, scoped{span, sum.InScope})
		}
		where := statement.Within(l.change.Key, span.Range)
		switch {
		case err == nil:
			counted = append(counted, sum)
		case failure.Is(err, failure.Data):
			poor = append(poor, fmt.Sprintf("a row within %s does not allow the change: %s", where, failure.Safe(err)))
		default:
			if err := l.miss("rows in scope within "+where, err); err != nil {
				return nil, err
			}
		}
	}
	l.poor(poor, apart)
	return counted, nil
}

// poor tells of rows that do not allow the change, one of a stretch. The error budget may have room for them: how many more there are, nobody knows.
func (l *look) poor(rows []string, apart bool) {
	budget := l.change.ErrorBudget
	if budget == 0 || apart && int64(len(rows)) > budget {
		l.found.InTheWay = append(l.found.InTheWay, rows...)
		return
	}
	for _, row := range rows {
		l.found.Notes = append(l.found.Notes, fmt.Sprintf("%s; it would be rejected: error_budget has room for %s, and how many there are is not known",
			row, figure.Plural(budget, "row", "rows")))
	}
}

func (l *look) count(ctx context.Context, span statement.Span) (sum prospect.Stretch, err error) {
	err = l.read(ctx, func(tx pgx.Tx) error {
		for _, query := range statement.Tally(l.change, span) {
			var s prospect.Stretch
			if err := tx.QueryRow(ctx, query.SQL, query.Args...).Scan(&s.Rows, &s.InScope, &s.ToWrite); err != nil {
				return err
			}
			sum.Rows, sum.InScope, sum.ToWrite = sum.Rows+s.Rows, sum.InScope+s.InScope, sum.ToWrite+s.ToWrite
		}
		return nil
	})
	return sum, err
}
