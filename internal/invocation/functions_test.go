package invocation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/invocation"
)

// functionVariable makes the test's binary serve a function in place of running tests.
const functionVariable = "BACKFILL_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if name := os.Getenv(functionVariable); name != "" {
		invocation.Start(name, functions[name])
		return
	}
	os.Exit(m.Run())
}

type input struct{ Want string }

type output struct {
	Alias     string
	Remaining time.Duration
	Setups    int
}

var setups int

// functions are what the processes serve.
var functions = map[string]invocation.Setup[input, output]{
	"well": func(context.Context) (invocation.Function[input, output], error) {
		setups++
		return invocation.Function[input, output]{Handle: work}, nil
	},
	"wrong settings": func(context.Context) (invocation.Function[input, output], error) {
		setups++
		return invocation.Function[input, output]{}, failure.New(failure.Invalid, "TABLE_NAME is not set (setup %d)", setups)
	},
	"closing": func(context.Context) (invocation.Function[input, output], error) {
		ended := false
		return invocation.Function[input, output]{
			Handle: func(ctx context.Context, _ input) (output, error) {
				fmt.Println("the invocation waits")
				<-ctx.Done()
				ended = true
				return output{}, nil
			},
			Close: func() { fmt.Printf("closed, invocation ended: %t\n", ended) },
		}, nil
	},
}

func work(ctx context.Context, in input) (output, error) {
	deadline, _ := ctx.Deadline()
	switch in.Want {
	case "lines":
		slog.InfoContext(ctx, "a line")
		slog.InfoContext(ctx, "a line", "run", "its own")
		slog.With("run", "its own").InfoContext(ctx, "a line")
	case "busy":
		return output{}, fmt.Errorf("begin run r: %w", failure.New(failure.Busy, "run q works on the table"))
	case "lease lost":
		return output{}, failure.New(failure.LeaseLost, "internal")
	case "unclassed":
		return output{}, errors.New("nobody expected this")
	case "out of time":
		return output{}, fmt.Errorf("walk: %w", context.DeadlineExceeded)
	case "nil pointer":
		var none *output
		none.Setups++
	case "panic":
		panic("value of a row")
	}
	return output{Alias: invocation.Alias(ctx), Remaining: time.Until(deadline), Setups: setups}, nil
}
