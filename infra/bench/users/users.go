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

	reads, updates []time.Duration // of every request
}

// NewSeen sums up the latencies of requests.
func NewSeen(reads, updates []time.Duration, written int64) Seen {
	return Seen{Reads: summarize(reads), Updates: summarize(updates), Written: written, reads: reads, updates: updates}
}

// Pooled is what users saw in several rounds, as if these were one: of the requests of a single round, a p99 rests on a handful.
func Pooled(rounds []Seen) Seen {
	var reads, updates []time.Duration
	var written int64
	for _, s := range rounds {
		reads, updates, written = append(reads, s.reads...), append(updates, s.updates...), written+s.Written
	}
	return NewSeen(reads, updates, written)
}

// Log is all requests of the users.
type Log struct{ reads, updates []sample }

// Span is a stretch of time, of which the end belongs to the next.
type Span struct{ From, To time.Time }

// Seen tells what users saw of requests that were due in one of the spans.
func (l Log) Seen(spans ...Span) Seen {
	var read, written []time.Duration
	for _, s := range spans {
		read, written = append(read, between(l.reads, s.From, s.To)...), append(written, between(l.updates, s.From, s.To)...)
	}
	return NewSeen(read, written, l.Written())
}

// Written is how many updates were made in all.
func (l Log) Written() int64 { return int64(len(l.updates)) }

// Beside has work done while users work, and tells what they saw of it.
func Beside(ctx context.Context, table *ground.Table, work func(context.Context) error) (Seen, error) {
	var during Span
	log, err := Watch(ctx, table, func(ctx context.Context) error {
		during.From = time.Now()
		err := work(ctx)
		during.To = time.Now()
		return err
	})
	return log.Seen(during), err
}

// Watch has work done while users work, and keeps what they saw.
func Watch(ctx context.Context, table *ground.Table, work func(context.Context) error) (Log, error) {
	group, ctx := errgroup.WithContext(ctx)
	stop := make(chan struct{})
	var log Log
	begin := time.Now()
	group.Go(func() (err error) {
		log.reads, err = reads.run(ctx, table.URL, table.Rows, begin, stop)
		return err
	})
	group.Go(func() (err error) {
		log.updates, err = updates.run(ctx, table.URL, table.Rows, begin, stop)
		return err
	})
	group.Go(func() error {
		defer close(stop)
		if !deadline.Rest(ctx, lead) {
			return ctx.Err()
		}
		return work(ctx)
	})
	err := group.Wait()
	return log, err
}
