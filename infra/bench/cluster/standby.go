package cluster

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"backfill/internal/deadline"
)

// CaughtUp waits until the standby has replayed what the primary has written so far.
func (c *Cluster) CaughtUp(ctx context.Context) error {
	var target string
	if err := c.Primary.QueryRow(ctx, "SELECT pg_current_wal_lsn()").Scan(&target); err != nil {
		return fmt.Errorf("read the primary's position: %w", err)
	}
	for {
		var there bool
		err := c.Standby.QueryRow(ctx, "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)", target).Scan(&there)
		if err != nil {
			return fmt.Errorf("read the standby's position: %w", err)
		}
		if there {
			return nil
		}
		if !deadline.Rest(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// Pause has the standby go on to receive, and no longer replay.
func (c *Cluster) Pause(ctx context.Context) error { return c.replay(ctx, "pause") }

// Resume lets it replay again.
func (c *Cluster) Resume(ctx context.Context) error { return c.replay(ctx, "resume") }

func (c *Cluster) replay(ctx context.Context, what string) error {
	if _, err := c.Standby.Exec(ctx, "SELECT pg_wal_replay_"+what+"()"); err != nil {
		return fmt.Errorf("%s the standby's replay: %w", what, err)
	}
	return nil
}

// Synchronous has the primary's commits wait until the standby has them on its disk, or no longer.
func (c *Cluster) Synchronous(ctx context.Context, on bool) error {
	names := map[bool]string{true: "'" + name + "'", false: "''"}[on]
	for _, step := range []string{"ALTER SYSTEM SET synchronous_standby_names = " + names, "SELECT pg_reload_conf()"} {
		if _, err := c.Primary.Exec(ctx, step); err != nil {
			return fmt.Errorf("have commits wait for the standby: %w", err)
		}
	}
	return nil
}

// Stutter lets the process that receives and syncs the standby's WAL work once in each period only, for as long as it needs to sync
// what was there by then, until the context ends.
func (c *Cluster) Stutter(ctx context.Context, period time.Duration) error {
	asking := context.WithoutCancel(ctx) // a question that is broken off would take its connection along
	var receiver int
	if err := c.Standby.QueryRow(ctx, "SELECT pid FROM pg_stat_wal_receiver").Scan(&receiver); err != nil {
		return fmt.Errorf("find the standby's receiver: %w", err)
	}
	defer func() { _ = syscall.Kill(receiver, syscall.SIGCONT) }()
	for {
		if err := syscall.Kill(receiver, syscall.SIGSTOP); err != nil {
			return fmt.Errorf("stop the standby's receiver: %w", err)
		}
		if !deadline.Rest(ctx, period) {
			return nil
		}
		var target string
		if err := c.Primary.QueryRow(asking, "SELECT pg_current_wal_flush_lsn()").Scan(&target); err != nil {
			return fmt.Errorf("read the primary's position: %w", err)
		}
		if err := syscall.Kill(receiver, syscall.SIGCONT); err != nil {
			return fmt.Errorf("let the standby's receiver go on: %w", err)
		}
		if err := c.synced(asking, target); err != nil {
			return err
		}
	}
}

// synced waits until the primary knows that the standby has it on its disk. A commit that was let go would be through again within
// milliseconds, so it looks again at once.
func (c *Cluster) synced(ctx context.Context, target string) error {
	for until := time.Now().Add(longest); time.Now().Before(until); {
		var there bool
		err := c.Primary.QueryRow(ctx, "SELECT coalesce(bool_or(flush_lsn >= $1::pg_lsn), false) FROM pg_stat_replication", target).Scan(&there)
		if err != nil {
			return fmt.Errorf("read what the standby has synced: %w", err)
		}
		if there {
			return nil
		}
	}
	return errors.New("the standby no longer syncs")
}
