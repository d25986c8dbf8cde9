// Package scene plays disturbances beside users and a run, and tells how the run took them.
//
// It owns the order, the record once a second, and what follows from it. It leaves the run to steered, users to users, and
// what is done to the database to disturbance. Invariant: figures are made from the record alone, after it has ended; a request of
// a user counts in the second in which it was due.
package scene

import (
	"context"
	"fmt"
	"time"

	"backfill/infra/bench/cluster"
	"backfill/infra/bench/disturbance"
	"backfill/infra/bench/ground"
	"backfill/infra/bench/steered"
	"backfill/infra/bench/users"
	"backfill/internal/deadline"

	"golang.org/x/sync/errgroup"
)

// Times of a scene. Before a disturbance comes what is left of the calm after the last one, or Calm before the first.
type Times struct {
	Idle  time.Duration // users alone, before the run and after it
	Calm  time.Duration // users and the run
	Span  time.Duration // a disturbance
	After time.Duration // users and the run again
}

// Scene is what is played.
type Scene struct {
	Cluster      *cluster.Cluster
	Table        *ground.Table
	Run          *steered.Steered
	Times        Times
	Disturbances []disturbance.Disturbance
	Say          func(format string, args ...any)
}

// Play plays it.
func (s *Scene) Play(ctx context.Context) (Record, error) {
	if err := s.Run.Prepare(ctx); err != nil {
		return Record{}, err
	}
	k := &keeper{begun: time.Now(), scene: s}
	s.Run.Report = k.report
	log, err := users.Watch(ctx, s.Table, func(ctx context.Context) error { return s.play(ctx, k) })
	if err != nil {
		return Record{}, err
	}
	return k.record(log), s.check(ctx, log.Written())
}

// play has users be alone, then the run work while disturbances come and go, then users be alone again.
func (s *Scene) play(ctx context.Context, k *keeper) error {
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() error { return k.watch(ctx) })
	k.alone = time.Now()
	group.Go(func() error {
		defer stop()
		if !deadline.Rest(ctx, s.Times.Idle) {
			return ctx.Err()
		}
		k.started = time.Now()
		if err := s.beside(ctx, k); err != nil {
			return err
		}
		k.ended = time.Now()
		deadline.Rest(ctx, s.Times.Idle)
		return nil
	})
	return group.Wait()
}

// beside has the run work until all disturbances are over.
func (s *Scene) beside(ctx context.Context, k *keeper) error {
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	group.Go(func() error { return s.Run.Work(ctx) })
	group.Go(func() error {
		defer stop()
		return s.disturb(ctx, k)
	})
	return group.Wait()
}

func (s *Scene) disturb(ctx context.Context, k *keeper) error {
	if !deadline.Rest(ctx, s.Times.Calm) {
		return ctx.Err()
	}
	for _, d := range s.Disturbances {
		s.Say("%s: %s", d.Name, d.Why)
		span, cancel := context.WithTimeout(ctx, s.Times.Span)
		begun := time.Now()
		err := d.Make(span, s.Cluster, s.Table)
		cancel()
		if err != nil {
			return fmt.Errorf("make a disturbance, %s: %w", d.Name, err)
		}
		k.mark(d, begun, time.Now())
		if !deadline.Rest(ctx, s.Times.After) {
			return ctx.Err()
		}
	}
	return nil
}

// check demands that each row holds what it held before or the change of it, and that no update of a user is lost.
func (s *Scene) check(ctx context.Context, updates int64) error {
	var rows, wrong, visits int64
	err := s.Table.Conn.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE label <> before AND label <> reverse(before)), sum(visits)::bigint
		FROM (SELECT label, visits, 'Label Number ' || id AS before FROM `+ground.Relation+`) AS r`).Scan(&rows, &wrong, &visits)
	if err != nil {
		return fmt.Errorf("check the table: %w", err)
	}
	if rows != s.Table.Rows || wrong != 0 || visits != updates {
		return fmt.Errorf("the table is not as it should be: %d rows of %d, %d of them wrong, %d updates of users of %d",
			rows, s.Table.Rows, wrong, visits, updates)
	}
	return nil
}

// Definition is a change that each run makes again in each row.
func Definition(throttle string) string {
	return "name: bench\ntable: " + ground.Relation + "\nset:\n  label: reverse(label)\n" + throttle
}
