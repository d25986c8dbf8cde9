package host

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// most bounds what a log keeps: the newest lines tell why a test failed.
const most = 4000

// Log keeps the lines of several processes in the order in which they came, and shows them when a test has failed.
type Log struct {
	mutex sync.Mutex
	lines []string
}

// NewLog makes a log of a test.
func NewLog(t testing.TB) *Log {
	l := &Log{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the newest lines of the functions' logs:\n%s", l.String())
		}
	})
	return l
}

// Note adds a line.
func (l *Log) Note(who, line string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.lines) >= 2*most {
		l.lines = append(l.lines[:0], l.lines[most:]...)
	}
	l.lines = append(l.lines, who+": "+line)
}

// Await waits for a line that contains all of the parts.
func (l *Log) Await(t testing.TB, within time.Duration, parts ...string) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !l.has(parts) {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("no function has logged %q within %s", parts, within)
		}
	}
}

func (l *Log) has(parts []string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.ContainsFunc(l.lines, func(line string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) })
	})
}

func (l *Log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-most):], "\n")
}

// Writer gives what a process writes to. A line that a killed process did not end is dropped.
func (l *Log) Writer(who string) io.Writer { return &lines{log: l, who: who} }

type lines struct {
	log  *Log
	who  string
	rest []byte
}

func (w *lines) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ended := bytes.Cut(w.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		w.log.Note(w.who, string(line))
		w.rest = append([]byte(nil), rest...)
	}
}
