// Package operator is the operators' command: backfill start, status, watch, pause, cancel, resume, rollback and so on.
//
// It owns what people type, what they read, and the exit codes. It leaves every decision to the stack: a run is
// started, resumed and rolled back through Step Functions, exactly as the console does it, and everything else is asked of the control function.
// Invariants: with -o json, stdout holds one JSON document; a run goes on when its watcher stops; each error is one
// message that says what to do next.
package operator

import (
	"context"
	"errors"
	"io"
	"time"
)

// World is what surrounds the command: Process makes the real one, tests make their own.
type World struct {
	Program  string   // as it was typed, for the commands that are suggested
	Args     []string // without the program
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(name string) string
	Width    func(w io.Writer) (columns int, terminal bool)
	Now      func() time.Time
	Rest     func(ctx context.Context, pause time.Duration) bool // false: the context ended first
	By       string                                              // who acts: user@host
	Version  string
	Commit   string // of which it was built; "": not known
	Connect  func(ctx context.Context, at Place) (Stack, error)
}

// Place says where a stack is. What is empty is found as aws finds it.
type Place struct{ Stack, Profile, Region string }

// Run runs one command and gives its exit code.
func Run(ctx context.Context, world World) int {
	s := &session{World: world}
	root := newRoot(s)
	root.SetArgs(world.Args)
	root.SetIn(world.In)
	root.SetOut(world.Out)
	root.SetErr(world.Err)
	at, err := root.ExecuteContextC(ctx)
	var fault *Fault
	switch {
	case err == nil:
		return exitDone
	case !errors.As(err, &fault): // cobra's own: an unknown command or flag
		fault = misused(at, err)
	}
	return s.fail(fault)
}
