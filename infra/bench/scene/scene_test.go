package scene

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/infra/bench/cluster"
	"backfill/infra/bench/disturbance"
	"backfill/infra/bench/ground"
	"backfill/infra/bench/steered"
	"backfill/internal/pgtest"
)

// TestAScene on servers of its own: users and the run work all the time, each disturbance shows in what it is about, and nothing is
// left when it ends. The content is checked by Play.
func TestAScene(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	for at := place; at != os.TempDir() && at != "/"; at = filepath.Dir(at) { // Postgres' account has to come through
		must(t, os.Chmod(at, 0o755))
	}
	servers, err := cluster.Open(t.Context(), programs(t), place)
	must(t, err)
	defer func() {
		must(t, servers.Close())
		if left, err := os.ReadDir(place); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}()
	land, err := ground.NewShared(t.Context(), servers.URL())
	must(t, err)
	defer land.Close()
	table, err := land.Make(t.Context(), ground.Tasks[1], 100_000)
	must(t, err)
	must(t, servers.CaughtUp(t.Context()))
	play := Scene{
		Cluster: servers, Table: table, Disturbances: disturbance.All, Say: t.Logf,
		Times: Times{Idle: time.Second, Calm: 3 * time.Second, Span: 8 * time.Second, After: 3 * time.Second},
		Run:   &steered.Steered{URL: servers.URL(), Definition: Definition(""), Rate: 2000, Workers: 2},
	}
	r, err := play.Play(t.Context())
	must(t, err)
	highest := func(m Mark, signal string) (value float64) {
		for _, s := range r.Seconds {
			if s.At > m.From && s.At < m.To+3 { // a look that began within it may have waited
				value = max(value, s.Signals[signal])
			}
		}
		return value
	}
	if len(r.Marks) != 4 || r.Idle.Reads.Requests < 100 || !slices.ContainsFunc(r.Seconds, func(s Second) bool { return s.Rows > 0 }) {
		t.Fatalf("%+v", r)
	}
	for i, c := range []struct {
		signal string
		least  float64
	}{{"lock_waiters", 3}, {"replica_lag_seconds standby", 1}, {"running_sessions", 1}, {"commit_milliseconds", 100}} {
		if got := highest(r.Marks[i], c.signal); got < c.least {
			t.Errorf("%s: %s was %.1f at most; users saw %+v", r.Marks[i].Name, c.signal, got, r.Marks[i].During)
		}
	}
	var names string
	must(t, servers.Primary.QueryRow(t.Context(), "SHOW synchronous_standby_names").Scan(&names))
	if names != "" {
		t.Errorf("commits still wait for %s", names)
	}
	must(t, servers.CaughtUp(t.Context()))
}

// programs are those that a test server runs by.
func programs(t *testing.T) string {
	t.Helper()
	var folder string
	must(t, pgtest.Newest(t).Connect(t).QueryRow(t.Context(), "SHOW data_directory").Scan(&folder))
	notes, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	must(t, err)
	first, _, _ := strings.Cut(string(notes), "\n")
	program, err := os.Readlink("/proc/" + first + "/exe")
	must(t, err)
	return filepath.Dir(program)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
