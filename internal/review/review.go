// Package review judges a request against the definition and the real table, before anything is stored.
//
// It owns the way from a name or a text to a change: definition, parameters, table, plan. Each judge is a package of
// its own. Invariants: it changes nothing; all problems of one judge come in one answer, of class failure.Invalid.
package review

import (
	"context"
	"errors"

	"backfill/internal/backfills"
	"backfill/internal/boundary"
	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/guard"
	"backfill/internal/keyset"

	"github.com/jackc/pgx/v5"
)

// Subject is what is judged: the name of a definition, or its text where the stack allows it.
type Subject struct {
	Backfill   string         `json:"backfill,omitempty"`
	Definition string         `json:"definition,omitempty"`
	Params     map[string]any `json:"params,omitempty"`
}

// Finding is the judgement of a subject that may run.
type Finding struct {
	Backfill  string        `json:"backfill"`
	Change    change.Change `json:"change"`
	Source    string        `json:"-"` // the definition's text
	Bound     keyset.Point  `json:"-"` // greatest key; nil where the table is empty
	Estimated int64         `json:"estimated"`
	Notes     []string      `json:"notes"`
}

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Reviewer judges. Inline allows definitions that come with the request.
type Reviewer struct {
	Session Session
	Inline  bool
}

// Review judges a subject.
func (r Reviewer) Review(ctx context.Context, subject Subject) (Finding, error) {
	d, err := r.find(subject)
	if err != nil {
		return Finding{}, err
	}
	conn, err := r.Session.Conn(ctx)
	if err != nil {
		return Finding{}, err
	}
	params, problems := d.Arguments(subject.Params)
	resolved, err := catalog.Resolve(ctx, conn, d, params)
	var more definition.Problems
	if errors.As(err, &more) {
		problems = append(problems, more...)
	} else if err != nil {
		return Finding{}, err
	}
	if err := problems.Sorted().Err(); err != nil {
		return Finding{}, err
	}
	bound, err := boundary.Bound(ctx, conn, resolved.Change)
	if err != nil {
		return Finding{}, err
	}
	return Finding{
		Backfill: d.Name, Change: resolved.Change, Source: d.Source, Bound: bound,
		Estimated: resolved.Estimated, Notes: resolved.Notes,
	}, guard.Check(ctx, conn, resolved.Change, bound)
}

// find reads the definition. Whoever may start an execution must not thereby run any SQL: a text is taken only where
// the stack was deployed to allow it.
func (r Reviewer) find(subject Subject) (definition.Definition, error) {
	if subject.Definition == "" {
		return backfills.Load(subject.Backfill)
	}
	if !r.Inline {
		return definition.Definition{}, failure.New(failure.Invalid, "this stack takes no definition in a request; "+
			"put the file into internal/backfills and deploy, or deploy with AllowInlineDefinitions=true")
	}
	d, problems := definition.Parse([]byte(subject.Definition))
	return d, problems.Err()
}
