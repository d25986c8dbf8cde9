package report

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"backfill/infra/bench/contender"
	"backfill/infra/bench/journal"
	"backfill/infra/bench/meter"
	"backfill/infra/bench/users"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// measured is a benchmark of three rounds on two servers, of which the last round was cut short.
func measured() Report {
	own := Section{Server: "Postgres 18.6", Rows: 100_000, Task: "value"}
	beside := own
	beside.Beside = true
	stack := Section{Server: "the stack's Postgres 15.18", Rows: 100_000, Task: "value"}
	plan := own
	plan.Rows, plan.Planning = 1_000_000, true
	fresh := own
	fresh.Task = "new"
	r := Report{
		Version: "v1.2.3", Machine: Machine{Cores: 2, Processor: "Some Processor", Memory: 8 << 30, System: "Linux version 6.1", Load: "0.10"},
		Servers: []Server{{Name: "Postgres 18.6", Settings: map[string]string{"shared_buffers": "2GB", "fsync": "on"}}, {Name: "the stack's Postgres 15.18"}},
		Workers: []int{1, 2},
		Begun:   time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), Seconds: 725, Rounds: 2, Wanted: 3,
	}
	for round, noise := range []float64{1, 1.5, 3} {
		work := func(s Section, leg string, seconds, cpu float64, wal, table, hot int64) *Figure {
			r.Figures = append(r.Figures, Figure{Section: s, Round: round + 1, Leg: leg, Cost: meter.Cost{
				Seconds: seconds * noise, CPU: cpu * noise, WAL: wal, Table: table, Index: table / 5, Updates: 100_000, HOT: hot,
			}})
			return &r.Figures[len(r.Figures)-1]
		}
		work(stack, contender.Single, 1.1, 0, 84_000_000, 27_000_000, 0)
		piped := work(stack, contender.Kept, 2.2, 0, 84_500_000, 27_000_000, 300)
		piped.First = 0.9 * noise
		piped.Plane = &contender.Plane{
			Chunks: 4, Workers: 3, Deliveries: 5, Calls: journal.Calls{"dynamodb.UpdateItem": 17}, Functions: 48, Own: 22, Worker: 4_000, Batches: 3_900,
			Memory: 23 << 20, Inits: []float64{70, 40.5, 50},
		}
		kept := work(own, contender.Undo, 0.5, 0.8, 51_000_000, 2_700_000, 90_000)
		kept.Workers, kept.Undo, kept.Batches = 2, 950_000, &contender.Batches{Timed: 90, P50: 71.4 * noise, P95: 88}
		if round == 2 {
			break
		}
		work(own, contender.Single, 1, 0.8, 84_000_000, 27_000_000, 0)
		work(own, contender.Direct, 0.4, 0.6, 50_000_000, 2_700_000, 91_000).Workers = 2
		work(own, contender.Plain, 0.9, 0.6, 50_000_000, 2_700_000, 91_000).Workers = 2
		work(own, contender.Direct, 0.7, 0.6, 50_000_000, 2_700_000, 92_000).Workers = 1
		work(own, contender.Rollback, 0.5*noise, 0.9, 40_000_000, 0, 80_000).Workers = 2
		work(plan, contender.Walk, 0.09, 0.08, 0, 0, 0)
		work(plan, contender.Cut, 0.1*noise, 0.08, 0, 0, 0)
		work(plan, contender.Start, 0.2, 0.1, 0, 0, 0).First = 0.05 * noise
		work(fresh, contender.Single, 1, 0.8, 86_000_000, 30_000_000, 0)
		for leg, milliseconds := range map[string]float64{contender.Idle: 3, contender.Single: 900} {
			slow := time.Duration(milliseconds*noise) * time.Millisecond
			updates := append(slices.Repeat([]time.Duration{2 * time.Millisecond}, 490), slices.Repeat([]time.Duration{slow}, 10)...)
			all := users.NewSeen(slices.Repeat([]time.Duration{400 * time.Microsecond}, 2_000), updates, 500)
			work(beside, leg, 10, 0.5, 1_000, 0, 500).Users = &all
		}
	}
	return r
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	measured().Markdown(&out)
	golden(t, "testdata/report.md", out.Bytes())
}

func TestJSON(t *testing.T) {
	r := measured()
	r.Figures = r.Figures[:3]
	var out bytes.Buffer
	if err := r.JSON(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.json", out.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}
