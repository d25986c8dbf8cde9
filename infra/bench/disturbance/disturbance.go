// Package disturbance makes a database slow on purpose.
//
// It owns what each disturbance does and how it ends. It leaves when, and what becomes of users and runs, to scene. Invariant:
// each goes on until its context ends, and then leaves the database as it was.
package disturbance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/infra/bench/cluster"
	"backfill/infra/bench/ground"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Disturbance is one of them.
type Disturbance struct {
	Name string
	Why  string // what it is, for people
	Make func(ctx context.Context, c *cluster.Cluster, table *ground.Table) error
}

// All there are, in their order.
var All = []Disturbance{
	{"long lock", "a user's transaction holds the locks of a tenth of the rows, those that are next for the run", lock},
	{"lagging standby", "a standby that streams does not replay", lag},
	{"CPU hog", "two sessions of a user compute", hog},
	{"slow fsync", "commits wait for a synchronous standby that syncs once in a second", slow},
}

// user connects as the application does.
func user(ctx context.Context, c *cluster.Cluster) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, c.URL())
	if err != nil {
		return nil, fmt.Errorf("connect as a user: %w", err)
	}
	return conn, nil
}

// after is what ends a disturbance has time for.
func after(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// lock holds row locks. It skips what others have locked, so that it meets no deadlock.
func lock(ctx context.Context, c *cluster.Cluster, table *ground.Table) error {
	conn, err := user(ctx, c)
	if err != nil {
		return err
	}
	ending, cancel := after(ctx)
	defer cancel()
	defer func() { _ = conn.Close(ending) }()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin as a user: %w", err)
	}
	_, err = tx.Exec(ctx, `WITH place AS (SELECT coalesce(sum(scanned), 0) % $1::bigint AS n FROM backfill.ledger),
		held AS MATERIALIZED (SELECT id FROM `+ground.Relation+`, place WHERE id > n AND id <= n + $1::bigint / 10 FOR UPDATE OF backfill_bench SKIP LOCKED)
		SELECT count(*) FROM held`, table.Rows)
	if err != nil {
		return fmt.Errorf("lock rows as a user: %w", err)
	}
	<-ctx.Done()
	if err := tx.Rollback(ending); err != nil {
		return fmt.Errorf("let rows go: %w", err)
	}
	return nil
}

func lag(ctx context.Context, c *cluster.Cluster, _ *ground.Table) error {
	if err := c.Pause(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	ending, cancel := after(ctx)
	defer cancel()
	return c.Resume(ending)
}

// sessions is how many compute: as many as the machine that the figures are of has cores.
const sessions = 2

func hog(ctx context.Context, c *cluster.Cluster, _ *ground.Table) error {
	group := errgroup.Group{}
	for range sessions {
		group.Go(func() error {
			conn, err := user(ctx, c)
			if err != nil {
				return err
			}
			ending, cancel := after(ctx)
			defer cancel()
			defer func() { _ = conn.Close(ending) }()
			_, err = conn.Exec(ctx, "SELECT sum(sqrt(n)) FROM (SELECT generate_series(1, 100000000000)) AS s (n)")
			if ctx.Err() == nil {
				return fmt.Errorf("compute as a user: %w", err)
			}
			return gone(ending, c, conn.PgConn().PID())
		})
	}
	return group.Wait()
}

// gone ends a session, and waits until it has.
func gone(ctx context.Context, c *cluster.Cluster, session uint32) error {
	operator, err := user(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = operator.Close(ctx) }()
	if _, err := operator.Exec(ctx, "SELECT pg_terminate_backend($1, 10000)", session); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// A commit waits for up to period, half of it on average. Without root, and without a module that has to be compiled, this is
// the nearest to a disk whose fsync is slow: the commit waits at the same place, and writes of WAL and of pages do not.
const period = time.Second

func slow(ctx context.Context, c *cluster.Cluster, _ *ground.Table) error {
	if err := c.Synchronous(ctx, true); err != nil {
		return err
	}
	err := c.Stutter(ctx, period)
	ending, cancel := after(ctx)
	defer cancel()
	return errors.Join(err, c.Synchronous(ending, false))
}
