// Command backfill is what operators type: it starts runs, shows how they stand, and stops them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"backfill/internal/operator"
)

// version and commit are set by `make build`; without a commit it is the one that Go notes.
var version, commit = "unknown", ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	code := operator.Run(ctx, operator.Process(version, commit))
	stop()
	os.Exit(code)
}
