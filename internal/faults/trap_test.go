package faults

import (
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
)

// trap is a fault at a named step of one function: on its way to Postgres or to AWS.
type trap struct {
	function string
	skip     int64 // occurrences that pass first
	times    int64 // occurrences that are hit then; 0: one

	// A message of the pipeline of a statement that contains sql.
	sql        string
	fromServer bool
	kind       byte
	verdict    pgtest.Verdict
	kill       bool // the process, before the verdict

	// A call to AWS whose body contains all of the parts.
	operation string
	parts     []string
	fault     gateway.Fault

	look func() // what is true when the step is reached
}

// set is a trap with its count.
type set struct {
	trap
	seen, hit atomic.Int64
}

func (c *set) due() bool {
	n := c.seen.Add(1)
	if n <= c.skip || n > c.skip+c.expected() {
		return false
	}
	c.hit.Add(1)
	if c.look != nil {
		c.look()
	}
	return true
}

func (c trap) expected() int64 { return max(c.times, 1) }

func (c trap) meetsMessage(d *door, m pgtest.Message) bool {
	return c.sql != "" && m.Runs && d.function == c.function && m.FromServer == c.fromServer && m.Kind == c.kind && strings.Contains(m.SQL, c.sql)
}

func (c trap) meetsCall(call gateway.Call) bool {
	return c.operation == call.Operation && call.Caller.(*door).function == c.function && containsAll(call.Body, c.parts)
}

// set lays the traps.
func (s *stack) set(traps ...trap) []*set {
	all := make([]*set, len(traps))
	for i, c := range traps {
		all[i] = &set{trap: c}
	}
	s.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
		for _, c := range all {
			if !c.meetsMessage(d, m) || !c.due() {
				continue
			}
			if c.kill {
				d.Kill()
			}
			return c.verdict
		}
		return pgtest.Pass
	})
	s.gateway.Watch(func(call gateway.Call) gateway.Fault {
		for _, c := range all {
			if c.meetsCall(call) && c.due() {
				return c.fault
			}
		}
		return nil
	})
	return all
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// before is a statement that is not committed: its Sync does not arrive.
func before(function, sql string, skip int64) trap {
	return trap{function: function, sql: sql, skip: skip, kind: pgtest.Sync, kill: true, verdict: pgtest.Cut}
}

// after is a statement that is committed, and whose process does not live to hear of it.
func after(function, sql string, skip int64) trap {
	return trap{function: function, sql: sql, skip: skip, kind: pgtest.ReadyForQuery, fromServer: true, kill: true, verdict: pgtest.Cut}
}

// cut loses the connection in place of the kill.
func (c trap) cut(verdict pgtest.Verdict) trap {
	c.kill, c.verdict = false, verdict
	return c
}

func calling(function, operation string, fault gateway.Fault, parts ...string) trap {
	return trap{function: function, operation: operation, fault: fault, parts: parts}
}

func (c trap) repeated(times int64) trap {
	c.times = times
	return c
}

// second lets the first occurrence pass.
func (c trap) second() trap {
	c.skip = 1
	return c
}

// falls demands that the run completes after it fell into each of the traps.
func (s *stack) falls(t *testing.T, w work, traps ...trap) {
	t.Helper()
	all := s.set(traps...)
	s.start(t, w).completes(t)
	for _, c := range all {
		if c.hit.Load() != c.expected() {
			t.Errorf("a step came %d times, want %d: %s %s%s", c.hit.Load(), c.expected(), c.function, c.sql, c.operation)
		}
	}
}
