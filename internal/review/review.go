// Package review judges a request against the definition and the real table, before anything is stored.
//
// It owns the way from a name or a text to a change: definition, parameters, table, plan. Each judge is a package of
// its own. Invariants: it changes nothing; all problems of file, parameters and table come in one answer, of class
// failure.Invalid; plans are looked at when there are none.
package review

import (
	"context"
	"errors"

	"backfill/internal/boundary"
	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/guard"
	"backfill/internal/keyset"
	"backfill/internal/registry"

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
	Version   int64         `json:"version,omitempty"` // of a definition that was registered
	Change    change.Change `json:"change"`
	Source    string        `json:"-"`                    // the definition's text
	Bound     keyset.Point  `json:"-"`                    // greatest key; nil where the table is empty
	DependsOn []string      `json:"depends_on,omitempty"` // backfills that have to be done before
	Skips     bool          `json:"-"`                    // a start while another run holds the table is none
	Estimated int64         `json:"estimated"`
	Notes     []string      `json:"notes"`
}

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Reviewer judges. Inline allows definitions that come with the request.
type Reviewer struct {
	Session  Session
	Registry registry.Registry
	Inline   bool
}

// Review judges a subject. What is known to be wrong is told also where the rest cannot be judged now.
func (r Reviewer) Review(ctx context.Context, subject Subject) (Finding, error) {
	if subject.Definition != "" {
		if !r.Inline {
			return Finding{}, inlineRefused
		}
		return r.read(ctx, subject.Definition, subject.Params)
	}
	found, err := r.Registry.Find(ctx, subject.Backfill)
	if err != nil {
		return Finding{}, err
	}
	finding, err := r.read(ctx, found.Source, subject.Params)
	finding.Version = found.Version
	return finding, err
}

// Check judges a text that is to be registered. A parameter that each start has to give has an example of its type here.
func (r Reviewer) Check(ctx context.Context, text string, params map[string]any) (Finding, error) {
	d, _ := definition.Parse([]byte(text))
	return r.read(ctx, text, d.Examples(params))
}

// inlineRefused: whoever may start an execution must not thereby run any SQL.
var inlineRefused = failure.New(failure.Invalid, "this stack takes no definition in a request; register the file (backfill register FILE), "+
	"put it into internal/backfills and deploy, or deploy with AllowInlineDefinitions=true")

// read judges a text. One that could not be read at all has nothing more to judge.
func (r Reviewer) read(ctx context.Context, text string, given map[string]any) (Finding, error) {
	d, problems := definition.Parse([]byte(text))
	if d.Source == "" {
		return Finding{}, problems.Err()
	}
	return r.judge(ctx, d, problems, given)
}

func (r Reviewer) judge(ctx context.Context, d definition.Definition, problems definition.Problems, given map[string]any) (Finding, error) {
	params, refused := d.Arguments(given)
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
		Estimated: resolved.Estimated, Notes: resolved.Notes, DependsOn: d.DependsOn, Skips: d.Skips,
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
