package definition_test

import (
	"testing"

	"backfill/internal/definition"
	"backfill/internal/signal"

	"github.com/google/go-cmp/cmp"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	parsed, problems := definition.Parse([]byte(`name: a
table: t
set: {n: n}
throttle:
  lock_waiters: 4
  queue_depth: {query: "SELECT count(*) FROM jobs WHERE state = 'open'", limit: 1_000, unit: jobs}
  free_slots:
    query: |
      WITH x AS (SELECT 1 AS n)
      SELECT max(n) FROM x
    limit: off
`))
	want := []signal.Metric{
		{Name: "queue_depth", Query: "SELECT count(*) FROM jobs WHERE state = 'open'", Limit: 1000, Unit: "jobs"},
		{Name: "free_slots", Query: "WITH x AS (SELECT 1 AS n)\nSELECT max(n) FROM x", Limit: signal.Off},
	}
	if diff := cmp.Diff(want, parsed.Metrics); diff != "" || problems != nil || parsed.Throttle[signal.LockWaiters] != 4 {
		t.Fatal(problems, diff)
	}
}

func TestLimitsOfSignals(t *testing.T) {
	t.Parallel()
	parsed, problems := definition.Parse([]byte("name: a\ntable: t\nset: {n: n}\n" +
		"throttle: {lock_waiters: 4, io_waits: 2.5, replica_lag_seconds: off, wal_bytes_per_second: 10_000_000, commit_milliseconds: 0}\n"))
	want := signal.Limits{signal.LockWaiters: 4, signal.IOWaits: 2.5, signal.ReplicaTime: signal.Off, signal.WALRate: 1e7, signal.CommitTime: 0}
	if diff := cmp.Diff(want, parsed.Throttle); diff != "" || problems != nil {
		t.Fatal(problems, diff)
	}
}
