// Package failure says what the caller does next when something went wrong.
//
// It owns the set of classes, the tables from SQLSTATE to class and to the name of the condition, and the error that
// carries a class. It does not decide how often something is tried again: callers do. Invariants: an error has exactly
// one class (the innermost that was given), and every class that leaves a function is a name that the state machines
// match on.
package failure

import (
	"errors"
	"fmt"
)

// Class is what the caller does next. Its text is the error name that Step Functions sees.
type Class string

const (
	// Transient: the same call may succeed later; nothing has changed meanwhile.
	Transient Class = "Backfill.Transient"
	// Invalid: the request or the definition is wrong; a person has to change it.
	Invalid Class = "Backfill.Invalid"
	// Busy: another run that has not ended works on the same table.
	Busy Class = "Backfill.Busy"
	// Data: rows do not allow the change (SQLSTATE 21000, 22xxx, 23xxx); the row has to be found.
	Data Class = "Backfill.Data"
	// Permanent: neither time nor another request helps (rights, a dropped column, a bug); a person has to look.
	Permanent Class = "Backfill.Permanent"
	// Unknown outcome: the connection was lost while a commit may have happened; claim again before anything else.
	Unknown Class = "Backfill.Unknown"
	// LeaseLost: another worker holds the chunk, or the run does not want work; stop without a further write.
	LeaseLost Class = "Backfill.LeaseLost"
)

// Classes lists every class, for tests that hold the state machines against them.
func Classes() []Class {
	return []Class{Transient, Invalid, Busy, Data, Permanent, Unknown, LeaseLost}
}

// Leaves lists the classes that may leave a function; the state machines match on each of them. Data and LeaseLost
// are settled by the worker: one that gets as far as a function's end is a mistake, so it leaves as Permanent.
func Leaves() []Class { return []Class{Transient, Invalid, Busy, Permanent, Unknown} }

// The names under which the execution of a run ends that was begun in order, as the state machine "backfill" gives
// them: no function answers with one.
const (
	RunFailed    = "Backfill.RunFailed"
	RunCancelled = "Backfill.RunCancelled"
)

// Error is an error with a class.
type Error struct {
	Class Class
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// As gives err a class. It returns nil for nil, and err unchanged when it already has a class.
func As(class Class, err error) error {
	if err == nil {
		return nil
	}
	var classed *Error
	if errors.As(err, &classed) {
		return err
	}
	return &Error{Class: class, Err: err}
}

// New makes an error of a class from a format; %w works as in fmt.Errorf.
func New(class Class, format string, args ...any) error {
	return &Error{Class: class, Err: fmt.Errorf(format, args...)}
}

// Of tells the class of err: the innermost that was given, Permanent for an error that nobody classed, and ""
// for nil. Permanent is the safe default: what nobody expected is shown to a person, not tried for ever.
func Of(err error) Class {
	if err == nil {
		return ""
	}
	class := Permanent
	for err != nil {
		var classed *Error
		if !errors.As(err, &classed) {
			break
		}
		class, err = classed.Class, classed.Err
	}
	return class
}

// Is tells whether err is of the class.
func Is(err error, class Class) bool { return err != nil && Of(err) == class }
