// Package users is what the table's users do while a contender changes it: an open loop.
//
// It owns the requests, their schedule and their latencies. Invariants: a request is due at a fixed time, whatever became of
// those before it, and its latency counts from then; a request that fails, fails the benchmark.
package users

import (
	"context"
	"time"

	"backfill/infra/bench/ground"
	"backfill/internal/deadline"

	"golang.org/x/sync/errgroup"
)

// The users: 200 reads and 50 updates a second, by random key. They update a column that no task writes.
var (
	reads   = stream{sql: "SELECT label, payload FROM " + ground.Relation + " WHERE id = $1", perSecond: 200, connections: 8}
	updates = stream{sql: "UPDATE " + ground.Relation + " SET visits = visits + 1 WHERE id = $1", perSecond: 50, connections: 16}
)

// lead is how long users work before anything else does: their connections are open, their statements prepared.
const lead = time.Second

// Seen is what users saw while something else was done.
type Seen struct {
	Reads   Latency `json:"reads"`
	Updates Latency `json:"updates"`
	Written int64   `json:"written"` // updates in all, before and after it as well
}

// Beside has work done while users work, and tells what they saw of it.
func Beside(ctx context.Context, table *ground.Table, work func(context.Context) error) (Seen, error) {
	group, ctx := errgroup.WithContext(ctx)
	stop := make(chan struct{})
	var read, written []sample
	var from, to time.Time
	begin := time.Now()
	group.Go(func() (err error) {
		read, err = reads.run(ctx, table.URL, table.Rows, begin, stop)
		return err
	})
	group.Go(func() (err error) {
		written, err = updates.run(ctx, table.URL, table.Rows, begin, stop)
		return err
	})
	group.Go(func() error {
		defer close(stop)
		if !deadline.Rest(ctx, lead) {
			return ctx.Err()
		}
		from = time.Now()
		err := work(ctx)
		to = time.Now()
		return err
	})
	err := group.Wait()
	return Seen{
		Reads: summarize(between(read, from, to)), Updates: summarize(between(written, from, to)), Written: int64(len(written)),
	}, err
}
