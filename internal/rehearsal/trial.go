package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backfill/internal/batch"
	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/guard"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
	"backfill/internal/prospect"
	"backfill/internal/scope"
	"backfill/internal/statement"
	"backfill/internal/striping"

	"github.com/jackc/pgx/v5"
)

// try has Postgres read all that the run would send, and plan the change of a batch in the midst of the keys.
func (r Rehearser) try(ctx context.Context, l *look, found places) error {
	span := &statement.Span{Range: keyset.Range{Hi: make(keyset.Point, len(l.change.Key))}} // of an empty table: it is read, and not planned
	if l.bound != nil {
		next, err := l.next(ctx, found.middle(), ordinary)
		if err != nil {
			return err
		}
		if next != nil {
			span = next
		}
	}
	current, err := r.Ledger.Current(ctx)
	if err != nil {
		return err
	}
	if err := l.choose(ctx, span.Lo); err != nil {
		return err
	}
	if err := l.prepare(ctx, *span, l.passes, current); err != nil {
		return err
	}
	return l.explain(ctx, *span, current)
}

// choose tells in how many passes a chunk would be gone over, as a worker does.
func (l *look) choose(ctx context.Context, from keyset.Point) (err error) {
	seen := l.found.Extent.Looked
	figures := striping.Figures{Chunk: 1, Scanned: seen.Rows, Written: seen.ToWrite}
	if l.passes, l.found.Passes = striping.Choose(l.change, figures); l.passes == striping.Plain || l.bound == nil {
		return nil
	}
	err = l.read(ctx, func(tx pgx.Tx) (err error) {
		figures.Near, figures.Pages, err = batch.Neighbours(ctx, tx.Conn(), l.change, from)
		return err
	})
	l.passes, l.found.Passes = striping.Choose(l.change, figures)
	return l.miss("whether neighbours by key share pages", err)
}

// bare are the statements of a batch by themselves, without the ledger and without what keeps undo. One that calls functions of the schema
// "backfill", where that is not there, is what it does to a range of keys alone.
func (l *look) bare(span statement.Span, current bool) []statement.Query {
	queries := statement.Apply(l.change, span, statement.FormFor(l.change, postgres.Major(l.conn)))
	for i, query := range queries {
		queries[i].SQL = "WITH " + query.SQL + "\nSELECT count(*) FROM backfill_changed"
		if l.change.Kind == change.Transform || !current && strings.Contains(query.SQL, "backfill.") {
			return statement.Plain(l.change, span)
		}
	}
	return queries
}

// prepare has Postgres read each statement. What it does not read, it would not read from a worker either.
func (l *look) prepare(ctx context.Context, span statement.Span, passes int, current bool) error {
	for _, query := range statement.Plain(l.change, span) {
		l.found.Statements = append(l.found.Statements, prospect.Statement{Purpose: "the change of a batch by itself", SQL: query.SQL})
	}
	specimens := batch.Specimens(l.change, postgres.Major(l.conn), span, passes)
	for _, s := range specimens {
		l.found.Statements = append(l.found.Statements, prospect.Statement{Purpose: s.Purpose, SQL: s.SQL})
	}
	if !current {
		l.found.Unknown = append(l.found.Unknown,
			"the statements on the ledger were not prepared: schema backfill is not there yet, or of another version; the next start makes it")
		specimens = nil
		for _, query := range l.bare(span, current) {
			specimens = append(specimens, batch.Specimen{Purpose: "the change", Query: query})
		}
	}
	for _, s := range specimens {
		err := l.read(ctx, func(tx pgx.Tx) error {
			_, err := tx.Conn().PgConn().Prepare(ctx, "", s.SQL, nil)
			return err
		})
		if failure.Is(err, failure.Permanent) || failure.Is(err, failure.Data) {
			return failure.New(failure.Invalid, "Postgres does not take what the run would send (%s): %s", s.Purpose, failure.Safe(err))
		}
		if err := l.miss("whether Postgres takes a statement ("+s.Purpose+")", err); err != nil {
			return err
		}
		l.found.Prepared++
	}
	return nil
}

// explain plans the change of a batch, in the form in which it would be sent.
func (l *look) explain(ctx context.Context, span statement.Span, current bool) error {
	if l.bound == nil {
		l.found.Plan = prospect.Plan{Lines: []string{}, Verdict: "the table is empty, so there is no plan to look at"}
		return nil
	}
	plan, err := guard.Explain(ctx, l.conn, l.change, l.bare(span, current)[0])
	if err != nil {
		return l.miss("the plan", err)
	}
	l.found.Plan = prospect.Plan{Of: statement.Within(l.change.Key, span.Range), Lines: plan.Lines, Verdict: "no scan of a whole table or index"}
	if plan.Scan != "" {
		l.found.Plan.Verdict = fmt.Sprintf("each batch would pay for %s; a start is not refused for it", plan.Scan)
	}
	return nil
}

// asked is how many chunks are asked at once whether they have a row in scope.
const asked = 32

// skips tells whether an index on `where` saves chunks, by asking it as the planner does.
func (l *look) skips(ctx context.Context, found places) error {
	if l.change.Where == "" || l.change.Join != nil || l.bound == nil || l.late("whether an index tells chunks without a row in scope") {
		return nil
	}
	ranges := found.ranges
	if len(ranges) == 0 && l.change.ChunkRows > window {
		l.found.Unknown = append(l.found.Unknown, "whether an index tells chunks without a row in scope: one is too large to be walked for that")
		return nil
	}
	if begin := len(ranges)/2 - asked/2; begin > 0 {
		ranges = ranges[begin:min(begin+asked, len(ranges))]
	} else if len(ranges) > asked {
		ranges = ranges[:asked]
	}
	if len(ranges) == 0 {
		cut, err := boundary.Cut(ctx, l.conn, l.change, found.middle(), l.bound, int(max(1, window/l.change.ChunkRows)))
		if err != nil {
			return l.miss("whether an index tells chunks without a row in scope", err)
		}
		ranges = cut.Ranges
	}
	empty, err := scope.Empty(ctx, l.conn, l.change, ranges)
	if errors.Is(err, scope.ErrNoAnswer) {
		l.found.Unknown = append(l.found.Unknown, "whether an index tells chunks without a row in scope: "+failure.Safe(err))
		return nil
	}
	if err != nil {
		return err
	}
	l.found.Extent.Skips = skipping(empty)
	return nil
}

func skipping(empty []bool) string {
	if empty == nil {
		return "no index answers where at a small part of the cost: every chunk is read"
	}
	none := 0
	for _, is := range empty {
		if is {
			none++
		}
	}
	return fmt.Sprintf("an index answers where: %d of %d chunks that were asked have no row in scope, and would be done at once", none, len(empty))
}
