// Command demo is `make run`: it makes a table, has the deployed stack change it, and checks the content by SQL of
// its own, which shares nothing with the product. It needs the environment of `make env` and bin/backfill.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"github.com/jackc/pgx/v5"
)

const (
	rows     = 1_000_000
	backfill = "users-email-normalized"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted: // bin/backfill has said what is left
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		return errors.New(`DATABASE_URL is not set; run this by "make run"`)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to the example's database: %w", err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := release(); err != nil {
		return err
	}
	before, err := generate(ctx, conn)
	if err != nil {
		return err
	}
	status, err := change(ctx)
	if err != nil {
		return err
	}
	if err := check(ctx, conn, before, status); err != nil {
		return err
	}
	next(status.Run)
	return nil
}

// command runs bin/backfill on this terminal. Ctrl-C reaches it from the terminal, so it is left to end by itself.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command("bin/backfill", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

func next(id string) {
	fmt.Printf(`
What to try next:
  eval "$(make -s env)"                              # shows this shell the stack
  bin/backfill status %s
  bin/backfill start %s --wait   # nothing is left to write
  bin/backfill start -f infra/demo/own.yaml --wait   # from a file; your own: README, "A first own backfill in five minutes"
  make down                                          # ends the stack
`, id, backfill)
}
