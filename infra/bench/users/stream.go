package users

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// stream is requests of one kind, at a fixed rate, over connections of its own.
type stream struct {
	sql         string // $1 is a key
	perSecond   int
	connections int
}

// run sends requests until the stop is closed, and gives all that were due by then.
func (s stream) run(ctx context.Context, url string, rows int64, begin time.Time, stop <-chan struct{}) ([]sample, error) {
	group, ctx := errgroup.WithContext(ctx)
	due := make(chan time.Time) // without room: what waits is late by the schedule, wherever it waits
	group.Go(func() error {
		defer close(due)
		return schedule{begin: begin, period: time.Second / time.Duration(s.perSecond)}.send(ctx, due, stop)
	})
	taken := make([][]sample, s.connections)
	for i := range s.connections {
		group.Go(func() (err error) {
			taken[i], err = s.serve(ctx, url, rows, due)
			return err
		})
	}
	err := group.Wait()
	var all []sample
	for _, some := range taken {
		all = append(all, some...)
	}
	return all, err
}

// send gives out requests when they are due.
func (s schedule) send(ctx context.Context, due chan<- time.Time, stop <-chan struct{}) error {
	for number := 0; ; number++ {
		at := s.due(number)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-stop: // those that are due by now are still sent
			if at.After(time.Now()) {
				return nil
			}
		case <-time.After(time.Until(at)):
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case due <- at:
		}
	}
}

// serve is one connection.
func (s stream) serve(ctx context.Context, url string, rows int64, due <-chan time.Time) ([]sample, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect as a user: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var samples []sample
	for at := range due {
		if _, err := conn.Exec(ctx, s.sql, 1+rand.Int64N(rows)); err != nil {
			return samples, fmt.Errorf("a user's request: %w", err)
		}
		samples = append(samples, sample{due: at, latency: time.Since(at)})
	}
	return samples, nil
}
