// Package cluster is a primary of the benchmark's own, and a standby that streams from it.
//
// It owns their folders and processes, and what is done to the standby: its replay paused, its receiver stopped. It leaves
// the table to ground. Invariants: commits of the primary are on the disk; nothing of another server is touched, and nothing is
// left behind.
package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// role is the superuser, database the one that initdb makes, name what the primary knows the standby by.
const role, database, name = "app", "postgres", "standby"

// Cluster is the two servers.
type Cluster struct {
	Primary  *pgx.Conn // a connection for what an operator does
	Standby  *pgx.Conn // likewise
	primary  *server
	standby  *server
	folder   string
	password string
}

// settings of the primary: those of the servers that `make bench` measures on.
var settings = map[string]string{
	"fsync": "on", "synchronous_commit": "on", "shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min",
}

// Open starts both, by the programs in a folder, with their data in a new folder below place. Close ends them with an error, too.
func Open(ctx context.Context, programs, place string) (c *Cluster, err error) {
	folder, err := os.MkdirTemp(place, "backfill-disturb-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the servers: %w", err)
	}
	c = &Cluster{folder: folder, password: rand.Text()}
	return c, c.open(ctx, programs)
}

func (c *Cluster) open(ctx context.Context, programs string) error {
	owner, err := account()
	if err != nil {
		return err
	}
	if err := owner.give(c.folder); err != nil {
		return err
	}
	c.primary = &server{data: filepath.Join(c.folder, "primary"), programs: programs, owner: owner}
	c.standby = &server{data: filepath.Join(c.folder, "standby"), programs: programs, owner: owner}
	if err := c.primary.initialize(ctx, c.password); err != nil {
		return err
	}
	// A copy of what has never run: the standby streams everything from the first record on, the filling of the table, too.
	if out, err := exec.CommandContext(ctx, "cp", "-a", c.primary.data, c.standby.data).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the primary: %w\n%s", err, out)
	}
	if err := c.primary.start(ctx, settings); err != nil {
		return err
	}
	if c.Primary, err = c.primary.await(ctx, c.password); err != nil {
		return err
	}
	if err := c.standby.follow(c.primary, c.password); err != nil {
		return err
	}
	if err := c.standby.start(ctx, map[string]string{"shared_buffers": "256MB"}); err != nil {
		return err
	}
	c.Standby, err = c.standby.await(ctx, c.password)
	return err
}

// URL of the primary.
func (c *Cluster) URL() string { return c.primary.url(c.password) }

// Close ends the servers and removes their data.
func (c *Cluster) Close() error {
	ctx := context.Background()
	for _, conn := range []*pgx.Conn{c.Primary, c.Standby} {
		if conn != nil {
			_ = conn.Close(ctx)
		}
	}
	return errors.Join(c.standby.stop(), c.primary.stop(), os.RemoveAll(c.folder))
}
