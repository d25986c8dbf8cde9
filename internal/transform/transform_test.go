package transform_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/transform"
)

// column names each after its type.
func column(base string) change.Column {
	return change.Column{Name: base, Type: base, Base: base}
}

var form = transform.NewForm(change.Function{Key: []change.Column{column("bigint")},
	Reads: []change.Column{column("text"), column("numeric"), column("boolean"), column("timestamp with time zone"), column("date"), column("uuid"),
		column("bytea"), column("jsonb"), column("double precision")},
	Writes: []change.Column{column("text"), column("bytea"), column("boolean")}})

// row is one that holds these, in the order of the form; "NULL" is NULL, and so is what is not given.
func row(values ...string) transform.Row {
	list := make([]*string, 10)
	for i := range values {
		if values[i] != "NULL" {
			list[i] = &values[i]
		}
	}
	return form.Rows([][]*string{list})[0]
}

func TestValuesAsGoHasThem(t *testing.T) {
	t.Parallel()
	r := row("-9223372036854775808", "", "1.00", "true", "2024-01-31 12:00:00.5+00", "0044-03-15 BC", "00000000-0000-0000-0000-00000000000a", `\x00ff`, "null", "5e-324")
	show := func(value any, ok bool) string { return fmt.Sprint(value, " ", ok) }
	for want, got := range map[string]string{
		"-9223372036854775808 true": show(first(r.Int("bigint"))), " true": show(first(r.Text("text"))), "1.00 true": show(first(r.Text("numeric"))),
		"true true": show(first(r.Bool("boolean"))), "2024-01-31 12:00:00.5 +0000 UTC true": show(first(r.Time("timestamp with time zone"))),
		"-0043-03-15 00:00:00 +0000 UTC true": show(first(r.Time("date"))), "[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 10] true": show(first(r.UUID("uuid"))),
		"[0 255] true": show(first(r.Bytes("bytea"))), "[110 117 108 108] true": show(first(r.JSON("jsonb"))), "5e-324 true": show(first(r.Float("double precision"))),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	null := row("7")
	if _, ok := null.Text("text"); ok {
		t.Error("NULL is a text")
	}
	if value, ok := null.JSON("jsonb"); ok || value != nil {
		t.Error("NULL is a document")
	}
}

func first[T any](value T, ok bool) (any, bool) { return value, ok }

// TestTimesGoThereAndBack at the ends of what Postgres has.
func TestTimesGoThereAndBack(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"4713-01-01 00:00:00+00 BC", "0001-01-01 00:00:00+00", "0001-12-31 23:59:59.999999+00 BC", "2024-02-29 00:00:00+00", "294276-12-31 23:59:59.999999+00"} {
		at, ok := row("1", "NULL", "NULL", "NULL", text).Time("timestamp with time zone")
		results, err := call(t, func(_ context.Context, rows []transform.Row) ([]transform.Change, error) {
			return []transform.Change{rows[0].Change().Set("text", transform.Text(text)).Set("bytea", transform.Null()).Set("boolean", transform.Null())}, nil
		}, row("1"))
		if err != nil || !ok || *results[0].Values[0] != text {
			t.Fatal(err)
		}
		if back := transform.Printed(transform.Time(at)); back != text {
			t.Errorf("%s comes back as %s", text, back)
		}
	}
}

func call(t *testing.T, do transform.Do, rows ...transform.Row) ([]transform.Result, error) {
	t.Helper()
	return transform.Function{Name: "f", Version: "1", Do: do}.Call(t.Context(), time.Minute, rows)
}

// TestMistakesOfAFunction are told with the line, and without any value of a row.
func TestMistakesOfAFunction(t *testing.T) {
	t.Parallel()
	for want, do := range map[string]func(r transform.Row){
		`column "numeric" is numeric and was asked for as Int`:             func(r transform.Row) { r.Int("numeric") },
		`column "secret" is not among those that the definition reads`:     func(r transform.Row) { r.Text("secret") },
		`column "numeric" is not among those that the definition writes`:   func(r transform.Row) { r.Change().Set("numeric", transform.Null()) },
		`column "bytea" is bytea and was given Text`:                       func(r transform.Row) { r.Change().Set("bytea", transform.Text("x")) },
		`column "boolean" is boolean and was given Int`:                    func(r transform.Row) { r.Change().Set("boolean", transform.Int(1)) },
		`column "text" was given the zero Value`:                           func(r transform.Row) { r.Change().Set("text", transform.Value{}) },
		`a value of column "date" has no such form in Go; ask for Text`:    func(r transform.Row) { r.Time("date") },
		`a row was refused without an error`:                               func(r transform.Row) { r.Refuse(nil) },
		`a string, whose text may hold values and is not shown`:            func(transform.Row) { panic("secret") },
		`runtime error: invalid memory address or nil pointer dereference`: func(transform.Row) { _ = *(*int)(nil) },
	} {
		_, err := call(t, func(_ context.Context, rows []transform.Row) ([]transform.Change, error) {
			do(rows[0])
			return nil, nil
		}, row("1", "secret", "1", "NULL", "NULL", "infinity"))
		safe := failure.Safe(fmt.Errorf("compute: %w", err))
		if !strings.HasPrefix(safe, `compute: function "f" panicked at transform_test.go:`) || !strings.HasSuffix(safe, ": "+want) || !failure.Is(err, failure.Permanent) {
			t.Errorf("got %s\nwant %s", safe, want)
		}
	}
}

// TestErrorsOfACall have a class, and a text that is safe.
func TestErrorsOfACall(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret")
	for name, c := range map[string]struct {
		do    transform.Do
		class failure.Class
		safe  string
	}{
		"transient": {func(context.Context, []transform.Row) ([]transform.Change, error) {
			return nil, fmt.Errorf("call: %w", transform.Transient(secret))
		}, failure.Transient, `function "f" gave an error that it calls transient`},
		"any other": {func(context.Context, []transform.Row) ([]transform.Change, error) {
			return nil, fmt.Errorf("call: %w", secret)
		},
			failure.Permanent, `function "f" gave an error of type *errors.errorString, whose text may hold values and is not shown`},
		"transient, row by row": {transform.Each(func(context.Context, transform.Row) (transform.Change, error) {
			return transform.Change{}, transform.Transient(secret)
		}), failure.Transient, `function "f" gave an error that it calls transient`},
	} {
		_, err := call(t, c.do, row("1"))
		if !failure.Is(err, c.class) || failure.Safe(err) != c.safe || !errors.Is(err, secret) || !strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s, %v", name, failure.Safe(err), err)
		}
	}
	results, err := call(t, transform.Each(func(context.Context, transform.Row) (transform.Change, error) { return transform.Change{}, secret }), row("1"))
	if err != nil || !failure.Is(results[0].Refused, failure.Data) || failure.Safe(results[0].Refused) != `SQLSTATE BFT01: function "f" refused the row` {
		t.Errorf("%v, %v", results, err)
	}
}

// TestACallEndsWithItsLimit, and with its context, whether the function heeds it or not.
func TestACallEndsWithItsLimit(t *testing.T) {
	t.Parallel()
	blocked := make(chan struct{})
	defer close(blocked)
	for name, do := range map[string]transform.Do{
		"heeds it": func(ctx context.Context, _ []transform.Row) ([]transform.Change, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"heeds it not": func(context.Context, []transform.Row) ([]transform.Change, error) { <-blocked; return nil, nil },
		"hides its end": func(ctx context.Context, _ []transform.Row) ([]transform.Change, error) {
			<-ctx.Done()
			return nil, errors.New("x")
		},
	} {
		f := transform.Function{Name: "f", Version: "1", Do: do}
		if _, err := f.Call(t.Context(), time.Millisecond, []transform.Row{row("1")}); !failure.Is(err, failure.Permanent) || failure.Safe(err) != `function "f" gave no answer within 1ms` {
			t.Errorf("%s: %v", name, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Call(ended, time.Minute, []transform.Row{row("1")}); !failure.Is(err, failure.Transient) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	do := func(context.Context, []transform.Row) ([]transform.Change, error) { return nil, nil }
	transform.Register("registered", "2", do)
	for _, wrong := range []func(){func() { transform.Register("registered", "3", do) }, func() { transform.Register("", "1", do) },
		func() { transform.Register("a", "", do) }, func() { transform.Register("a", "1", nil) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it was registered")
				}
			}()
			wrong()
		}()
	}
	if transform.Unfit("registered", "2") != "" || !strings.Contains(transform.Unfit("registered", "1"), "in version 2, and the run began with version 1") ||
		!strings.Contains(transform.Unfit("unregistered", "1"), `no function "unregistered"`) {
		t.Error(transform.Unfit("registered", "2"), transform.Unfit("registered", "1"), transform.Unfit("unregistered", "1"))
	}
}
