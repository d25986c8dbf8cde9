package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"backfill/internal/failure"

	"github.com/jackc/pgx/v5/pgconn"
)

// Error is an error that the server raised. Error has all of the server's text, which can quote values of rows;
// Safe has none of them and is what may be logged, traced or stored outside Postgres.
type Error struct{ server *pgconn.PgError }

func (e *Error) Error() string { return e.server.Error() }
func (e *Error) Unwrap() error { return e.server }

// SQLState is the five character code.
func (e *Error) SQLState() string { return e.server.Code }

// Message is the server's first line. It can quote values of rows: it may go back into Postgres, and nowhere else.
func (e *Error) Message() string { return e.server.Message }

// Safe names the code, its condition and the objects; the message only where no row can be in it.
func (e *Error) Safe() string {
	var text strings.Builder
	text.WriteString(failure.SQLState(e.server.Code))
	for _, part := range []struct{ what, name string }{
		{"table", e.server.TableName}, {"column", e.server.ColumnName},
		{"constraint", e.server.ConstraintName}, {"type", e.server.DataTypeName},
	} {
		if part.name != "" {
			fmt.Fprintf(&text, ", %s %q", part.what, part.name)
		}
	}
	if e.quotesNoRow() {
		fmt.Fprintf(&text, ": %s", e.server.Message)
	}
	if e.server.Routine == "aclcheck_error" { // what was refused has the object's name, and not the right's
		text.WriteString("; `backfill validate FILE` names the GRANT")
	}
	return text.String()
}

// routines of the server whose messages hold names of objects at most.
var routines = []string{"ProcessInterrupts", "aclcheck_error", "ExecWithCheckOptions"}

// quotesNoRow goes by where an error was raised. The code alone does not tell: secret::regclass is 42P01 and quotes
// the secret, as a misspelled table is 42P01, and a user's trigger may raise any code with any text.
func (e *Error) quotesNoRow() bool {
	switch {
	case e.server.Position > 0: // a place in our statement: the server was reading it, and had seen no row
		return true
	case isFatal(e.server): // a login, or the end of a connection; no function raises it
		return true
	case strings.HasPrefix(e.server.Code, "BF"): // raised by ourselves
		return true
	case strings.HasPrefix(e.server.Code, "53"): // out of disk or memory; functions give a context
		return e.server.Where == ""
	default:
		return slices.Contains(routines, e.server.Routine)
	}
}

// isFatal reads the severity that is not translated. Postgres always sends it; PgBouncer's own errors have only the other,
// and are never translated.
func isFatal(server *pgconn.PgError) bool {
	return cmp.Or(server.SeverityUnlocalized, server.Severity) == "FATAL"
}

// Classify gives a driver error its class. Nil stays nil, and an error with a class keeps it.
func Classify(err error) error {
	var classed *failure.Error
	var server *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &classed):
		return err
	case errors.As(err, &server):
		return failure.As(classOf(err, server), replace(err, server))
	case isConnect(err), pgconn.SafeToRetry(err):
		return failure.As(failure.Transient, err)
	case isNetwork(err):
		return failure.As(failure.Unknown, err)
	default:
		return failure.As(failure.Permanent, err)
	}
}

// classOf treats a server that refuses new connections (starting up, too many clients) as a matter of waiting:
// nothing was sent, so there is no outcome to doubt.
func classOf(err error, server *pgconn.PgError) failure.Class {
	class := failure.FromSQLState(server.Code)
	if class == failure.Unknown && isConnect(err) {
		return failure.Transient
	}
	return class
}

// replace keeps the text around the server's error, but lets errors.As find our Error in place of the driver's.
func replace(err error, server *pgconn.PgError) error {
	if text := strings.TrimSuffix(err.Error(), server.Error()); text != err.Error() && text != "" {
		return fmt.Errorf("%s%w", text, &Error{server})
	}
	return &Error{server}
}

func isConnect(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}

func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		strings.Contains(err.Error(), "conn closed")
}

// withoutURL drops the text that pgx quotes: it may hold a password.
func withoutURL(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return failure.New(failure.Invalid, "it is not a postgres:// URL")
	}
	return failure.As(failure.Invalid, err)
}

// Raised tells whether the server raised an error of that SQLSTATE.
func Raised(err error, sqlstate string) bool {
	var raised interface{ SQLState() string }
	return errors.As(err, &raised) && raised.SQLState() == sqlstate
}

// MetRows tells whether the server raised an error while it worked on rows, so that it helps to know which those were.
func MetRows(err error) bool {
	var raised *Error
	switch {
	case !errors.As(err, &raised):
		return false
	case raised.server.Routine == "ProcessInterrupts", raised.server.Routine == "ExecWithCheckOptions": // a time that is over; a view
		return !isFatal(raised.server)
	}
	return !raised.quotesNoRow() && !slices.ContainsFunc(ofTheServer, func(class string) bool { return strings.HasPrefix(raised.server.Code, class) })
}

// ofTheServer are classes of SQLSTATE that no row is the reason of: it is read-only, full, or broken.
var ofTheServer = []string{"25", "53", "58"}
