package probe_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/probe"
	"backfill/internal/signal"
	"backfill/internal/throttle"

	"github.com/jackc/pgx/v5"
)

// until probes again and again, until the readings are as they should be.
func until(t *testing.T, conn *pgx.Conn, met func(map[string]signal.Reading) bool) map[string]signal.Reading {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		_, readings := take(t, conn, probe.Sample{})
		if met(readings) {
			return readings
		}
		if time.Now().After(deadline) {
			t.Fatalf("never so: %v", readings)
		}
		time.Sleep(20 * time.Millisecond) // a probe is not for free
	}
}

// above tells whether a reading is there, and is more than that.
func above(key string, least float64) func(map[string]signal.Reading) bool {
	return func(readings map[string]signal.Reading) bool {
		r := readings[key]
		return r.Value != nil && *r.Value > least
	}
}

// level tells whether a reading is there, and is 0.
func level(key string) func(map[string]signal.Reading) bool {
	return func(readings map[string]signal.Reading) bool {
		r := readings[key]
		return r.Value != nil && *r.Value == 0
	}
}

const bytesOfEU, secondsOfEU = "replica_lag_bytes of eu", "replica_lag_seconds of eu"

// key is how a reading is found.
func key(text string) string { return strings.Replace(text, " of ", " ", 1) }

// TestAStandbyThatFallsBehind, as its replay is paused, and comes up again: then nothing is behind, at once, though Postgres
// keeps the last lag for a while; and it stays so where nobody writes.
func TestAStandbyThatFallsBehind(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		primary := cluster.New(t, like)
		db := primary.Database()
		conn := setup(t, db)
		standby := primary.Standby(t, "eu").Database().Connect(t)
		until(t, conn, level(key(secondsOfEU)))
		replay(t, standby, "pause")
		until(t, conn, func(readings map[string]signal.Reading) bool {
			db.Exec(t, "INSERT INTO users SELECT g, g FROM generate_series((SELECT max(id) + 1 FROM users), (SELECT max(id) + 1000 FROM users)) g")
			return above(key(bytesOfEU), 100_000)(readings) && above(key(secondsOfEU), 1)(readings)
		})
		replay(t, standby, "resume")
		readings := until(t, conn, level(key(bytesOfEU)))
		if !level(key(secondsOfEU))(readings) {
			t.Errorf("nothing is behind, and %s", readings[key(secondsOfEU)])
		}
	})
}

func replay(t *testing.T, standby *pgx.Conn, what string) {
	t.Helper()
	_, err := standby.Exec(t.Context(), "SELECT pg_wal_replay_"+what+"()")
	must(t, err)
}

// TestAStandbyThatStops is missed, so that nothing gets faster, and forgotten after a minute. One that waits before it replays is
// behind all the same. Two of one name are told apart.
func TestAStandbyThatStops(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, like pgtest.Database) {
		primary := cluster.New(t, like)
		db := primary.Database()
		conn := setup(t, db)
		eu := primary.Standby(t, "eu")
		second := primary.Standby(t, "eu", "recovery_min_apply_delay=1h")
		db.Exec(t, "UPDATE users SET n = 0")
		until(t, conn, above("replica_lag_seconds eu 2", 0.5))
		second.Stop()
		sample, readings := take(t, conn, probe.Sample{})
		for _, left := range []string{key(bytesOfEU), key(secondsOfEU)} {
			if r, there := readings[left]; !there || r.Value == nil {
				t.Errorf("of the standby that is left: %s", r)
			}
		}
		calm := throttle.Moment{Now: sample.At, Speed: 5000, Readings: quiet(sample.Readings)}
		state, reason := throttle.State{}.Decide(calm)
		if reason != "" {
			t.Fatal(reason)
		}
		eu.Stop()
		until(t, conn, func(readings map[string]signal.Reading) bool { _, there := readings[key(bytesOfEU)]; return !there })
		for at := throttle.Interval; at <= time.Minute; at += throttle.Interval {
			sample, _ = take(t, conn, probe.Sample{})
			state, reason = state.Decide(throttle.Moment{Now: calm.Now.Add(at), Speed: 5000, Readings: quiet(sample.Readings)})
			if state.Rate != 5000 || !strings.Contains(reason, "replica_lag_bytes eu is not read any more") {
				t.Fatalf("after %s: %.0f rows/s, %s", at, state.Rate, reason)
			}
		}
		if state, reason = state.Decide(throttle.Moment{Now: calm.Now.Add(62 * time.Second), Speed: 5000, Readings: quiet(sample.Readings)}); state.Rate <= 5000 {
			t.Fatalf("it is never forgotten: %s", reason)
		}
	})
}

// quiet takes out what other tests make the machine do.
func quiet(readings []signal.Reading) (standbys []signal.Reading) {
	for _, r := range readings {
		if r.Name == signal.ReplicaBytes || r.Name == signal.ReplicaTime || r.Name == signal.LockWaiters {
			standbys = append(standbys, r)
		}
	}
	return standbys
}

// TestAStandbyThatMayNotBeSeen is missing, for a role with few rights, and says why.
func TestAStandbyThatMayNotBeSeen(t *testing.T) {
	t.Parallel()
	primary := cluster.New(t, pgtest.Newest(t))
	setup(t, primary.Database())
	primary.Standby(t, "eu")
	_, readings := take(t, asRole(t, primary.Database()), probe.Sample{})
	for _, name := range []string{bytesOfEU, secondsOfEU} {
		if r, there := readings[key(name)]; !there || r.Value != nil || !strings.Contains(r.Missing, "GRANT pg_read_all_stats") {
			t.Errorf("%s: %t %s", name, there, r)
		}
	}
}
