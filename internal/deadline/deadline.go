// Package deadline spends the time that an invocation has left.
//
// It owns how the time that is left is read, and waiting within it. It leaves to its callers what they keep back for
// an orderly end. Invariant: a rest never goes on after its context has ended.
package deadline

import (
	"context"
	"time"
)

// unbounded is what a context without a deadline has left: more than any function's timeout.
const unbounded = time.Hour

// Remaining is the time before the context's deadline.
func Remaining(ctx context.Context) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return time.Until(at)
	}
	return unbounded
}

// Rest waits. False: the context ended first.
func Rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
