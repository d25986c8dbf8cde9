// Package transition looks things up in a table of legal changes of state.
//
// It owns the form of such a table and the questions that are asked of it. It leaves the tables themselves to the
// packages whose states they hold: run and chunk. Invariant: what is not in a table is not legal.
package transition

import (
	"cmp"
	"maps"
	"slices"
)

// Table holds for each state the states that may follow it, each with the cause.
type Table[S cmp.Ordered] map[S]map[S]string

// Cause tells why one state follows another, and whether it may.
func (t Table[S]) Cause(from, to S) (string, bool) {
	cause, ok := t[from][to]
	return cause, ok
}

// Sources lists the states that the given one may follow, in alphabetical order.
func (t Table[S]) Sources(to S) []S {
	var from []S
	for _, state := range slices.Sorted(maps.Keys(t)) {
		if _, ok := t[state][to]; ok {
			from = append(from, state)
		}
	}
	return from
}

// Before lists the states from which the given one can be reached, by one step or by many, in alphabetical order. No
// step leads out of a state that has ended.
func (t Table[S]) Before(to S, ended func(S) bool) []S {
	found := map[S]bool{}
	for next := []S{to}; len(next) > 0; next = next[1:] {
		for _, from := range t.Sources(next[0]) {
			if !found[from] && !ended(from) {
				found[from] = true
				next = append(next, from)
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
