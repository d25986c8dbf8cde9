// Command bench is `make bench`: it compares the product with other ways to make the same change of the same table, on real
// Postgres, and prints medians of ratios. It needs the servers that the Makefile starts.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the Makefile.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	slog.SetLogLoggerLevel(slog.LevelWarn) // the worker code tells of each chunk
	err := command(os.LookupEnv).ExecuteContext(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		os.Exit(130)
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const overview = `Compares the product with other ways to make the same change of the same table.
Every flag can be given in the environment, too: BACKFILL_BENCH_ROWS and so on.`

func command(lookup func(string) (string, bool)) *cobra.Command {
	var s settings
	c := &cobra.Command{Use: "bench", Long: overview, Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true}
	s.flags(c.Flags())
	c.RunE = func(at *cobra.Command, _ []string) error {
		if err := s.complete(at.Flags(), lookup); err != nil {
			return err
		}
		return s.run(at.Context())
	}
	c.AddCommand(disturbCommand())
	return c
}
