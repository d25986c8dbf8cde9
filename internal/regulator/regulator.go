// Package regulator sees to it that the rate of a database is decided once a beat, however many runs there are.
//
// It owns when a decision is due, and the way from probe to throttle to ledger. It leaves measuring, the law and the store to
// those. Invariants: one decision at a time, by a write that has an effect only where nobody else has decided; what cannot be measured
// is a decision without signals, which never goes up; a run goes on whatever becomes of its decision.
package regulator

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/probe"
	"backfill/internal/run"
	"backfill/internal/signal"
	"backfill/internal/throttle"

	"github.com/jackc/pgx/v5"
)

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Ledger keeps decisions.
type Ledger interface {
	Standing(ctx context.Context, id string, speed float64) (ledger.Standing, error)
	Regulate(ctx context.Context, was, next ledger.Standing) (bool, error)
}

// Alarms are read beside the database.
type Alarms interface {
	Readings(ctx context.Context, limits signal.Limits) []signal.Reading
}

// Regulator decides for whatever run asks.
type Regulator struct {
	Session Session
	Ledger  Ledger
	Alarms  Alarms // nil: there are none
}

// Regulate notes the speed of a run, decides where that is due, and tells the rate of the database, its reason and signals.
func (r Regulator) Regulate(ctx context.Context, id string, speed float64) (run.Throttle, error) {
	standing, err := r.Ledger.Standing(ctx, id, speed)
	if err != nil {
		return run.Throttle{}, err
	}
	if standing.Due {
		if standing, err = r.decide(ctx, standing); err != nil {
			return run.Throttle{}, err
		}
	}
	return told(standing)
}

func (r Regulator) decide(ctx context.Context, was ledger.Standing) (ledger.Standing, error) {
	var before probe.Sample
	var state law
	for text, into := range map[string]any{was.Sample: &before, was.Law: &state} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return was, fmt.Errorf("read the last decision: %w", err)
		}
	}
	sample, err := r.measure(ctx, was, before)
	if err != nil {
		slog.WarnContext(ctx, "signals not read", "class", failure.Of(err), "error", failure.Safe(err))
	}
	state.Forget(func(key string) bool { return asked(was.Metrics, key) })
	var reason string
	state.State, reason = state.Decide(throttle.Moment{Now: was.Now, Speed: was.Speed, Readings: sample.Readings})
	state.WAL = state.WAL.Decide(throttle.Volume{Now: was.Now, Bytes: sample.WAL, Rows: was.Rows, Ceiling: was.WAL})
	next := was
	next.Rate, next.WALRate, next.Reason = state.Rate, state.WAL.Rate, reason
	if next.Law, err = encode(state); err != nil {
		return was, err
	}
	if next.Sample, err = encode(sample); err != nil {
		return was, err
	}
	decided, err := r.Ledger.Regulate(ctx, was, next)
	if err != nil || !decided {
		return was, err
	}
	if next.Rate != was.Rate {
		slog.InfoContext(ctx, "rate decided", "rate", int64(next.Rate), "before", int64(was.Rate), "speed", int64(was.Speed), "reason", reason)
	}
	return next, nil
}

// asked tells whether a signal is still read: metrics end with their runs.
func asked(metrics []signal.Metric, key string) bool {
	name, _, _ := strings.Cut(key, " ")
	return signal.Known(signal.Name(name)) || slices.ContainsFunc(metrics, func(m signal.Metric) bool { return m.Read(nil, "").Key() == key })
}

// law is what is kept from one decision to the next.
type law struct {
	throttle.State
	WAL throttle.WAL `json:"wal"`
}

// measure gives what is known: without signals, where they cannot be read, the sample before has to wait for the next.
func (r Regulator) measure(ctx context.Context, was ledger.Standing, before probe.Sample) (probe.Sample, error) {
	conn, err := r.Session.Conn(ctx)
	if err != nil {
		return probe.Sample{}, err
	}
	limits := signal.Strictest(was.Limits...)
	sample, err := probe.Take(ctx, conn, limits, before, was.Committed)
	if err != nil {
		return sample, err // alarms alone would look as if the rest were gone for good
	}
	sample.Readings = append(sample.Readings, probe.Ask(ctx, conn, was.Metrics)...)
	if r.Alarms != nil {
		sample.Readings = append(sample.Readings, r.Alarms.Readings(ctx, limits)...)
	}
	return sample, nil
}

func encode(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("write a decision: %w", err)
	}
	return string(text), nil
}

// told is a standing as people see it.
func told(s ledger.Standing) (run.Throttle, error) {
	var sample probe.Sample
	if err := json.Unmarshal([]byte(s.Sample), &sample); err != nil {
		return run.Throttle{}, fmt.Errorf("read the last sample: %w", err)
	}
	t := run.Throttle{Reason: s.Reason, Signals: sample.Readings}
	if s.Rate > 0 {
		t.Rate = &s.Rate
	}
	if s.WALRate > 0 {
		t.WAL = &s.WALRate
	}
	if !sample.At.IsZero() {
		for i := range t.Signals {
			t.Signals[i].Age += max(s.Now.Sub(sample.At), 0).Round(100 * time.Millisecond).Seconds()
		}
	}
	return t, nil
}
