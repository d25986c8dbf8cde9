package catalog

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"backfill/internal/definition"
	"backfill/internal/expression"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// checkVerify looks at the invariant, and finds out whether rows can be verified by value.
func (r *resolver) checkVerify(ctx context.Context) error {
	if err := r.checkInvariant(ctx); err != nil {
		return err
	}
	unjudged := r.definition.Kind.Unjudged()
	switch {
	case unjudged != "":
		r.verify.Unfit = unjudged
	case r.volatile || r.chance:
		r.verify.Unfit = "an expression is volatile, so what a row should hold cannot be worked out again"
	case r.definition.Repeatable:
		r.verify.Values = true
		return nil
	case r.blind || len(r.problems) > 0: // it will be judged when they are mended
	default:
		why, err := r.unrepeatable(ctx)
		r.verify.Values, r.verify.Unfit = why == "" && err == nil, why
		return err
	}
	if r.definition.Repeatable && r.verify.Unfit != "" {
		r.refuse("repeatable", 0, r.verify.Unfit, "remove the line; verify looks at the ledger, and asks the query of verify")
	}
	return nil
}

// checkInvariant has the server parse and plan the query. It is not run.
func (r *resolver) checkInvariant(ctx context.Context) error {
	if r.definition.Verify.IsZero() {
		return nil
	}
	const path, before = "verify", "SELECT "
	bound, values := r.bind(r.definition.Verify)
	text := r.definition.Verify.Bind(bound)
	var described *pgconn.StatementDescription
	server, err := r.try(ctx, func() (err error) {
		described, err = r.tx.Conn().PgConn().Prepare(ctx, "", before+text, nil)
		return err
	})
	if err == nil && server == nil {
		r.verify.Query, r.verify.Counts = r.definition.Verify.String(), slices.Contains(numbers, described.Fields[0].DataTypeOID)
		if !r.verify.Counts && described.Fields[0].DataTypeOID != pgtype.BoolOID {
			r.refuse(path, 0, "the query gives neither true or false nor a number", "have it give count(*) = 0, or count(*) of the rows that break it")
		}
		if !r.blind { // rights are looked at when it is planned
			server, err = r.try(ctx, func() error { _, err := r.tx.Exec(ctx, "EXPLAIN "+before+text, values...); return err })
		}
	}
	if err != nil {
		return fmt.Errorf("prepare %s: %w", path, err)
	}
	if server != nil {
		offset, at := 0, int(server.Position)-1-utf8.RuneCountInString(before)
		if server.Position > 0 && at >= 0 && at <= utf8.RuneCountInString(text) {
			offset = r.definition.Verify.Origin(len(string([]rune(text)[:at])), bound) - 1 // of the parenthesis
		}
		remedy, known := remedies[server.Code]
		if !known {
			remedy = "write a query that Postgres accepts: SELECT, and one value"
		}
		r.refuse(path, max(offset, 0), server.Message, remedy)
	}
	return nil
}

// moment finds what gives another value later, though Postgres does not call it volatile.
var moment = regexp.MustCompile(`(?i)\b(now|transaction_timestamp|statement_timestamp|age)\s*\(|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b|'(now|today|tomorrow|yesterday)'`)

// unrepeatable looks for columns that are written, or follow from one that is, in the expressions: without them Postgres has to understand
// them still. The table itself, by its name, is another way to those columns. What a function or a view reads is not seen.
func (r *resolver) unrepeatable(ctx context.Context) (string, error) {
	itself := regexp.MustCompile(`(?i)(^|[^\pL\pN_])` + regexp.QuoteMeta(r.definition.Table.Name) + `($|[^\pL\pN_])`)
	for _, p := range r.probes() {
		text := p.expression.String()
		switch {
		case moment.MatchString(text):
			return p.path + " depends on the moment", nil
		case itself.MatchString(text):
			return p.path + " names the table itself", nil
		}
		column, err := r.fed(ctx, p.expression)
		if err != nil || column != "" {
			return fmt.Sprintf("%s uses %s", p.path, column), err
		}
	}
	return "", nil
}

// fed tells which written column an expression uses, "" where it uses none.
func (r *resolver) fed(ctx context.Context, e expression.Expression) (string, error) {
	var left []string
	for _, c := range r.columns {
		written := slices.ContainsFunc(r.definition.Set, func(a definition.Assignment) bool { return a.Column == c.Name })
		if !written && !c.Generated && c.Readable {
			left = append(left, quote(c.Name))
		}
	}
	bound, _ := r.bind(e)
	server, err := r.try(ctx, func() error {
		_, err := r.tx.Conn().PgConn().Prepare(ctx, "", fmt.Sprintf("SELECT (%s) FROM (SELECT %s FROM %s) AS backfill_row",
			e.Bind(bound), strings.Join(left, ", "), r.quoted()), nil)
		return err
	})
	if err != nil || server == nil {
		return "", err
	}
	if found := missingColumn.FindStringSubmatch(server.Message); found != nil {
		return "column " + display(found[2]) + ", which the run writes or which follows from one that it writes", nil
	}
	return "what is there only while a row is written", nil
}
