// Package review judges a request against the definition and the real table, before anything is stored.
//
// It owns the way from a name or a text to a change: definition, parameters, table, plan. Each judge is a package of
// its own. Invariants: it changes nothing; all problems of file, parameters and table come in one answer, of class
// failure.Invalid; plans are looked at when there are none.
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

// Review judges a subject. What is known to be wrong is told also where the rest cannot be judged now.
func (r Reviewer) Review(ctx context.Context, subject Subject) (Finding, error) {
	d, problems, err := r.find(subject)
	if err != nil {
		return Finding{}, err
	}
	params, refused := d.Arguments(subject.Params)
	problems = append(problems, refused...)
	conn, resolved, err := r.resolve(ctx, d, params)
	var unfit definition.Problems
	if errors.As(err, &unfit) {
		problems = append(problems, unfit...)
	}
	if len(problems) > 0 {
		return Finding{}, problems.Sorted().Err()
	}
	if err != nil {
		return Finding{}, err
	}
	bound, err := boundary.Bound(ctx, conn, resolved.Change, nil)
	if err != nil {
		return Finding{}, err
	}
	return Finding{
		Backfill: d.Name, Change: resolved.Change, Source: d.Source, Bound: bound,
		Estimated: resolved.Estimated, Notes: resolved.Notes,
	}, guard.Check(ctx, conn, resolved.Change, bound)
}

func (r Reviewer) resolve(ctx context.Context, d definition.Definition, params []change.Param) (*pgx.Conn, catalog.Resolved, error) {
	conn, err := r.Session.Conn(ctx)
	if err != nil {
		return nil, catalog.Resolved{}, err
	}
	resolved, err := catalog.Resolve(ctx, conn, d, params)
	return conn, resolved, err
}

// find reads the definition; one that could not be read at all is an error, as there is nothing more to judge. Whoever may
// start an execution must not thereby run any SQL: a text is taken only where the stack was deployed to allow it.
func (r Reviewer) find(subject Subject) (definition.Definition, definition.Problems, error) {
	if subject.Definition == "" {
		d, err := backfills.Load(subject.Backfill)
		return d, nil, err
	}
	if !r.Inline {
		return definition.Definition{}, nil, failure.New(failure.Invalid, "this stack takes no definition in a request; "+
			"put the file into internal/backfills and deploy, or deploy with AllowInlineDefinitions=true")
	}
	d, problems := definition.Parse([]byte(subject.Definition))
	if d.Source == "" {
		return d, nil, problems.Err()
	}
	return d, problems, nil
}
