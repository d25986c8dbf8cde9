package failure_test

import (
	"errors"
	"fmt"
	"testing"

	"backfill/internal/failure"

	"github.com/jackc/pgx/v5/pgconn"
)

// quoting is an error whose text has a row in it.
type quoting struct{}

func (quoting) Error() string { return "duplicate key: (email)=(ann@example.org)" }
func (quoting) Safe() string  { return "SQLSTATE 23505" }

// swallowing has an inner error, but words of its own.
type swallowing struct{}

func (swallowing) Error() string { return "failed for ann@example.org" }
func (swallowing) Unwrap() error { return quoting{} }

func TestSafe(t *testing.T) {
	t.Parallel()
	server := &pgconn.PgError{Code: "23505", Message: "duplicate key: ann@example.org", Detail: "ann@example.org"}
	for want, err := range map[string]error{
		"plain":                                errors.New("plain"),
		"SQLSTATE 23505":                       quoting{},
		"apply chunk 1: SQLSTATE 23505":        fmt.Errorf("apply chunk 1: %w", quoting{}),
		"a: b: SQLSTATE 23505 (again)":         fmt.Errorf("a: %w (again)", fmt.Errorf("b: %w", quoting{})),
		"x: SQLSTATE 23505 (unique_violation)": fmt.Errorf("x: %w", server),
		"first\nSQLSTATE 23505":                errors.Join(errors.New("first"), quoting{}),
		"one SQLSTATE 23505, two no":           fmt.Errorf("one %w, two %w", quoting{}, errors.New("no")),
		"outer: SQLSTATE 23505":                fmt.Errorf("outer: %w", swallowing{}),
	} {
		if got := failure.Safe(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
