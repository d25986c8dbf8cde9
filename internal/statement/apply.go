package statement

import "backfill/internal/change"

// Form is how an update gives what it overwrites.
type Form int

// The forms. Which are right while users write the same rows, and what they cost: docs/architecture.md.
const (
	// Forget gives nothing: undo is off.
	Forget Form = iota
	// Returning asks RETURNING for old and new (Postgres 18).
	Returning
	// Compared joins the rows that were found by ctid, and leaves alone those that users changed meanwhile: fewer are
	// changed than found. Not for partitioned tables.
	Compared
	// Locked locks the rows before it reads them.
	Locked
)

// Apply builds the statements that apply a change to a span, one for each stretch of the index (see split). Each is a list
// of CTEs: backfill_changed has a row for each row that it wrote or deleted, unless the form is Forget with the key (k1 ..), what
// was there (o1 ..) and, where it was written, what is there now (n1 ..); backfill_found has the rows that were to be
// written, in the forms Compared and Locked.
func Apply(c change.Change, span Span, form Form) []Query {
	return each(c, span, func(bind *binder, keys string) string { return of(c).apply(bind, c, keys, form) })
}

// Plain builds the statements of Apply by themselves, for a look at their plans.
func Plain(c change.Change, span Span) []Query {
	return each(c, span, func(bind *binder, keys string) string { return of(c).plain(bind, c, keys) })
}

func each(c change.Change, span Span, build func(bind *binder, keys string) string) []Query {
	parts := split(span)
	queries := make([]Query, len(parts))
	for i, part := range parts {
		bind := binding(c)
		queries[i] = Query{SQL: build(bind, bind.stretch(c.Key, part)), Args: bind.args}
	}
	return queries
}
