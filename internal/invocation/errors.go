package invocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"

	"backfill/internal/failure"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// failed logs an error and makes it the answer. The runtime would report the outermost Go type (wrapError) in place
// of a class; only a value of InvokeResponse_Error passes its Type through.
func failed(ctx context.Context, err error) error {
	answer := messages.InvokeResponse_Error{Type: string(classOf(err)), Message: failure.Safe(err)}
	slog.ErrorContext(ctx, "the invocation failed", "class", answer.Type, "error", answer.Message)
	return answer
}

// classOf is the class under which an error leaves.
func classOf(err error) failure.Class {
	var classed *failure.Error
	if !errors.As(err, &classed) && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return failure.Transient // our own deadline: a new invocation has time again
	}
	if class := failure.Of(err); slices.Contains(failure.Leaves(), class) {
		return class
	}
	return failure.Permanent
}

// panicked logs a panic and makes it the answer. What was thrown may quote anything, so only errors of Go itself
// (an index, a nil pointer) are shown; the stack holds no values.
func panicked(ctx context.Context, cause any) error {
	what := fmt.Sprintf("%T", cause)
	if err, ok := cause.(runtime.Error); ok {
		what = err.Error()
	}
	slog.ErrorContext(ctx, "the function panicked", "class", failure.Permanent, "panic", what, "stack", string(debug.Stack()))
	return messages.InvokeResponse_Error{Type: string(failure.Permanent), ShouldExit: true,
		Message: "a bug: the function panicked (" + what + "); its log has the stack"}
}
