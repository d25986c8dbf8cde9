package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"backfill/internal/expression"
	"backfill/internal/failure"

	"github.com/jackc/pgx/v5/pgconn"
)

// probe is a statement around one expression, for Postgres to judge.
type probe struct {
	path           string
	expression     expression.Expression
	before, behind string
	codes          []string // the errors that can be blamed on the expression; nil: all
}

const (
	syntaxError     = "42601"
	undefinedColumn = "42703"
	undefinedTable  = "42P01"
)

// checkExpressions has the server parse each expression where it will stand, and then look for volatile functions.
func (r *resolver) checkExpressions(ctx context.Context) error {
	if err := r.setPath(ctx, r.session.searchPath); err != nil {
		return err
	}
	if r.torn {
		return r.checkSyntax(ctx)
	}
	for _, p := range r.probes() {
		fine, err := r.prepare(ctx, p)
		if err != nil {
			return err
		}
		if fine && !r.blind {
			if err := r.checkVolatile(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSyntax has the server parse each expression where there is no table for it to stand in.
func (r *resolver) checkSyntax(ctx context.Context) error {
	for _, p := range r.probes() {
		p.before, p.behind, p.codes = "SELECT (", ")", []string{syntaxError}
		if _, err := r.prepare(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// probes are the expressions of the kind, and `where`.
func (r *resolver) probes() []probe {
	probes := append(r.kind().probes(r), probe{
		path: "where", expression: r.definition.Where, before: "SELECT 1 FROM " + r.quoted() + r.beside(", ") + " WHERE (", behind: ")",
	})
	for i, p := range probes {
		if !r.typed(p.expression) { // a type that is not known decides which function is meant
			probes[i].codes = []string{syntaxError, undefinedColumn, undefinedTable}
		}
	}
	return slices.DeleteFunc(probes, func(p probe) bool { return p.expression.IsZero() })
}

func (r *resolver) quoted() string { return quote(r.definition.Table.Schema, r.definition.Table.Name) }

// prepare has the server parse the probe. It is not run.
func (r *resolver) prepare(ctx context.Context, p probe) (bool, error) {
	bound, _ := r.bind(p.expression)
	server, err := r.try(ctx, func() error {
		_, err := r.tx.Conn().PgConn().Prepare(ctx, "", p.before+p.expression.Bind(bound)+p.behind, nil)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("prepare %s: %w", p.path, err)
	}
	if server != nil && (p.codes == nil || slices.Contains(p.codes, server.Code)) {
		r.blame(p, server, int(server.Position)-1-utf8.RuneCountInString(p.before))
	}
	return server == nil, nil
}

// try runs a step that may fail, and keeps the transaction usable. It gives the server's error where that blames
// the definition, and else an error of its own.
func (r *resolver) try(ctx context.Context, step func() error) (*pgconn.PgError, error) {
	if _, err := r.tx.Exec(ctx, "SAVEPOINT probe"); err != nil {
		return nil, fmt.Errorf("set a savepoint: %w", err)
	}
	failed := step()
	if failed == nil {
		return nil, nil
	}
	var server *pgconn.PgError
	if !errors.As(failed, &server) || !blames(server) {
		return nil, failed
	}
	if _, err := r.tx.Exec(ctx, "ROLLBACK TO SAVEPOINT probe"); err != nil {
		return nil, fmt.Errorf("roll back to a savepoint: %w", err)
	}
	return server, nil
}

// blames tells an error in the text from a server that is busy, gone or a standby.
func blames(server *pgconn.PgError) bool {
	switch server.Code[:2] {
	case "42", "22", "21", "0A", "54": // syntax and names, data, cardinality, features, limits
		return true
	case "P0", "38", "39": // raised by a function that the planner called
		return true
	}
	return false
}

// blame reports the server's error at the place in the definition; at counts characters of the bound expression.
func (r *resolver) blame(p probe, server *pgconn.PgError, at int) {
	bound, _ := r.bind(p.expression)
	text := []rune(p.expression.Bind(bound))
	offset := 0
	if server.Position > 0 && at >= 0 && at <= len(text) {
		offset = p.expression.Origin(len(string(text[:at])), bound)
	}
	message := server.Message
	if server.Code == syntaxError && offset == len(p.expression.String()) { // it would name the parenthesis behind
		message = "the expression ends too early"
	}
	if ran(server) {
		r.refuse(p.path, offset, failure.SQLState(server.Code), "the planner has run a part of it, and that failed; declare functions that read rows as STABLE, or write it otherwise")
		return
	}
	r.refuse(p.path, offset, message, r.remedy(p, server))
}

// ran tells an error that the planner met when it computed a part of the expression beforehand: a function that is declared IMMUTABLE,
// and reads rows all the same, would bring a value of one into the message.
func ran(server *pgconn.PgError) bool {
	return server.Position == 0 && slices.Contains([]string{"22", "21", "23", "P0", "38", "39"}, server.Code[:2]) && server.Message != "division by zero"
}
