// Package transform has the Go functions that compute what a run writes, and the rows that they work on.
//
// It owns the registry of functions, typed access to a row's values, what a function may give back, and one call: its deadline, its
// panics, its errors. It leaves reading and writing rows to batch. Invariants: a value travels as the text that Postgres prints, so
// that it reads back as the same value; a mistake in a function is an error that names the function and the line, and no value of a
// row; an error's text by the function is for Postgres alone.
package transform

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Do computes changes of rows: at most one for each. A row without a change stays as it is. It has to heed the context, may be
// called twice for a row, and has to give back what it does not keep: nothing it does outside is taken back.
type Do func(ctx context.Context, rows []Row) ([]Change, error)

// Function is a function that definitions can name.
type Function struct {
	Name    string
	Version string // raised with each edit that gives rows other values: workers of another version leave a run alone
	Do      Do
}

var registry = struct {
	sync.RWMutex
	functions map[string]Function
}{functions: map[string]Function{}}

// Register makes a function known under a name. It is called when a program starts, so what is wrong with it is a panic.
func Register(name, version string, do Do) {
	registry.Lock()
	defer registry.Unlock()
	switch _, twice := registry.functions[name]; {
	case name == "" || version == "" || do == nil:
		panic(fmt.Sprintf("register function %q: name, version and function are needed", name))
	case twice:
		panic(fmt.Sprintf("register function %q: the name is taken", name))
	}
	registry.functions[name] = Function{Name: name, Version: version, Do: do}
}

// Find gives the function of that name.
func Find(name string) (Function, bool) {
	registry.RLock()
	defer registry.RUnlock()
	f, ok := registry.functions[name]
	return f, ok
}

// Names lists the functions, in order.
func Names() []string {
	registry.RLock()
	defer registry.RUnlock()
	return slices.Sorted(maps.Keys(registry.functions))
}

// Unfit says why this build must not compute what a run of that function and version writes; "" where it may.
func Unfit(name, version string) string {
	switch f, ok := Find(name); {
	case !ok:
		return fmt.Sprintf("this version of the worker has no function %q: deploy one that has it in version %s", name, version)
	case f.Version != version:
		return fmt.Sprintf("this version of the worker has function %q in version %s, and the run began with version %s: deploy that one, "+
			"or cancel the run and start another", name, f.Version, version)
	}
	return ""
}

// Each makes a Do of a function for one row. A row that gives an error is refused, unless the error is Transient: then the call
// fails, and is made again. The zero Change leaves the row as it is.
func Each(one func(ctx context.Context, row Row) (Change, error)) Do {
	return func(ctx context.Context, rows []Row) ([]Change, error) {
		changes := make([]Change, 0, len(rows))
		for _, row := range rows {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			change, err := one(ctx, row)
			switch {
			case isTransient(err):
				return nil, err
			case err != nil:
				changes = append(changes, row.Refuse(err))
			case change.row.form != nil:
				changes = append(changes, change)
			}
		}
		return changes, nil
	}
}
