package scene

import (
	"context"
	"fmt"
	"sync"
	"time"

	"backfill/infra/bench/disturbance"
	"backfill/infra/bench/users"
	"backfill/internal/deadline"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

// keeper keeps what happens.
type keeper struct {
	begun   time.Time
	alone   time.Time // when users had connected
	started time.Time // when the run began to work
	ended   time.Time // when it had ended
	scene   *Scene
	mutex   sync.Mutex
	status  run.Status // the last one that was reported
	seconds []Second
	marks   []Mark
	decided []Decision
}

func (k *keeper) at(moment time.Time) float64 { return moment.Sub(k.begun).Seconds() }

func (k *keeper) mark(d disturbance.Disturbance, from, to time.Time) {
	k.marks = append(k.marks, Mark{Name: d.Name, Why: d.Why, From: k.at(from), To: k.at(to)})
}

// report takes what the governor reports with each sample; what it decided is noted where that is another rate.
func (k *keeper) report(status run.Status) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	status.Throttle.Rate = k.allowed(status.Throttle.Rate)
	next := Decision{At: k.at(time.Now()), Rate: status.Throttle.Rate, Reason: status.Throttle.Reason}
	if !same(next.Rate, k.status.Throttle.Rate) {
		k.decided = append(k.decided, next)
	}
	k.status = status
}

// allowed is a rate, or an operator's limit that is lower.
func (k *keeper) allowed(rate *float64) *float64 {
	if limit := float64(k.scene.Run.Rate); limit > 0 && (rate == nil || *rate > limit) {
		return &limit
	}
	return rate
}

func same(one, other *float64) bool {
	return one == other || one != nil && other != nil && *one == *other
}

// watch notes once a second how many rows were done, and what was reported last.
func (k *keeper) watch(ctx context.Context) error {
	conn, err := connect(ctx, k.scene.Table.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	before, at := int64(0), time.Now()
	for deadline.Rest(ctx, time.Until(at.Truncate(time.Second).Add(time.Second))) {
		var done int64
		err := conn.QueryRow(ctx, "SELECT coalesce(sum(scanned), 0)::bigint FROM backfill.ledger").Scan(&done)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("count the rows that are done: %w", err)
		}
		now := time.Now()
		k.note(at, now, float64(done-before)/now.Sub(at).Seconds())
		before, at = done, now
	}
	return nil
}

func (k *keeper) note(from, to time.Time, speed float64) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	second := Second{From: from, To: to, At: k.at(to), Rows: speed, Rate: k.status.Throttle.Rate, Reason: k.status.Throttle.Reason, Signals: map[string]float64{}}
	for _, signal := range k.status.Throttle.Signals {
		if signal.Value != nil {
			second.Signals[signal.Key()] = *signal.Value
		}
	}
	k.seconds = append(k.seconds, second)
}

// record is what is kept, with what users saw.
func (k *keeper) record(log users.Log) Record {
	r := Record{
		Rows: k.scene.Table.Rows, Limit: k.scene.Run.Rate, Workers: k.scene.Run.Workers, Definition: k.scene.Run.Definition,
		Idle: log.Seen(users.Span{From: k.alone, To: k.started}, users.Span{From: k.ended, To: k.begun.Add(forever)}), Started: k.at(k.started), Decisions: k.decided,
	}
	for _, second := range k.seconds {
		seen := log.Seen(users.Span{From: second.From, To: second.To})
		second.Reads, second.Updates = seen.Reads, seen.Updates
		r.Seconds = append(r.Seconds, second)
	}
	outside, beside := k.spans()
	for i, mark := range k.marks {
		mark.Beside = log.Seen(beside[i][0], beside[i][1])
		mark.During = log.Seen(users.Span{From: k.moment(mark.From), To: k.moment(mark.To)})
		r.Marks = append(r.Marks, mark)
	}
	r.Outside = log.Seen(outside...)
	return r
}

// forever is behind the end of every scene.
const forever = time.Hour

// spans are the stretches outside of disturbances since the run began, and of each disturbance the one before and the one after it.
func (k *keeper) spans() (outside []users.Span, beside [][2]users.Span) {
	from := k.started
	for _, mark := range k.marks {
		outside, from = append(outside, users.Span{From: from, To: k.moment(mark.From)}), k.moment(mark.To)
	}
	outside = append(outside, users.Span{From: from, To: k.ended})
	for i := range k.marks {
		beside = append(beside, [2]users.Span{outside[i], outside[i+1]})
	}
	return outside, beside
}

func (k *keeper) moment(at float64) time.Time {
	return k.begun.Add(time.Duration(at * float64(time.Second)))
}

func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to count rows: %w", err)
	}
	return conn, nil
}
