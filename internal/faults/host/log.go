package host

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
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
