package transform

import (
	"errors"
	"fmt"

	"backfill/internal/failure"
)

// Transient marks an error of a call that may succeed later: it is made again, with growing pauses, for some 10 s; then the chunk is given back, and
// tried again by and by.
func Transient(err error) error {
	if err == nil {
		return nil
	}
	return &transient{err}
}

type transient struct{ err error }

func (t *transient) Error() string { return t.err.Error() }
func (t *transient) Unwrap() error { return t.err }

func isTransient(err error) bool {
	var marked *transient
	return errors.As(err, &marked)
}

// Broken is the error of a call that failed as a whole.
type Broken struct {
	function string
	what     string // without any value of a row
	err      error  // the function's own; nil: there is none
}

func (f Function) broken(class failure.Class, what string, err error) error {
	return failure.As(class, &Broken{function: f.Name, what: what, err: err})
}

// Error has the function's own text, which may hold values of rows.
func (b *Broken) Error() string {
	if b.err == nil {
		return b.Safe()
	}
	return b.Safe() + ": " + b.err.Error()
}

// Unwrap is the function's own error.
func (b *Broken) Unwrap() error { return b.err }

// Safe has no text of the function's own.
func (b *Broken) Safe() string { return fmt.Sprintf("function %q %s", b.function, b.what) }

// Refusal is the error of a row that the function refused. It has an SQLSTATE as rows that Postgres refuses have one.
type Refusal struct {
	function string
	why      error
}

func (r *Refusal) Error() string { return r.Safe() + ": " + r.Message() }

// Unwrap is the function's own error.
func (r *Refusal) Unwrap() error { return r.why }

// Safe has no text of the function's own.
func (r *Refusal) Safe() string {
	return fmt.Sprintf("%s: function %q refused the row", failure.SQLState(r.SQLState()), r.function)
}

// SQLState is the code under which the row is rejected.
func (r *Refusal) SQLState() string { return failure.RowRefused }

// Message is the function's own text. It can hold values of the row: it may go into Postgres, and nowhere else.
func (r *Refusal) Message() string { return r.why.Error() }
