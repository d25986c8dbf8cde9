package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func complete(t *testing.T, environment map[string]string, args ...string) (settings, error) {
	t.Helper()
	var s settings
	f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	s.flags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s, s.complete(f, func(name string) (string, bool) { value, given := environment[name]; return value, given })
}

func TestFlagsGoBeforeTheEnvironment(t *testing.T) {
	s, err := complete(t, map[string]string{
		"BACKFILL_BENCH_ROWS": "1000", "BACKFILL_BENCH_ROUNDS": "3", "BACKFILL_BENCH_TASKS": "", "BACKFILL_BENCH_CONTENDERS": "loop,undo",
		"BACKFILL_BENCH_LIMIT": "14m", "BACKFILL_BENCH_WORKERS": "4,1,2,1", "BACKFILL_BENCH_SERVERS": " postgres://one postgres://two",
	}, "--rows", "2000", "--contenders", "direct")
	if err != nil {
		t.Fatal(err)
	}
	if s.rows != 2000 || s.rounds != 3 || s.limit != 14*time.Minute || !slices.Equal(s.contenders, []string{"direct"}) || len(s.servers) != 2 {
		t.Fatalf("%+v", s)
	}
	if len(s.groups[0].Contenders) != 4 || s.groups[0].Contenders[3].Workers != 4 { // update, and direct three times
		t.Fatalf("%+v", s.groups[0].Contenders)
	}
	if s.needs(true) || len(s.groups) != 3 {
		t.Fatalf("%+v", s.groups)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		environment map[string]string
		want        string
	}{
		"a number":          {map[string]string{"BACKFILL_BENCH_ROWS": "many"}, "BACKFILL_BENCH_ROWS"},
		"no row":            {map[string]string{"BACKFILL_BENCH_ROWS": "0"}, "rows and rounds"},
		"no worker":         {map[string]string{"BACKFILL_BENCH_WORKERS": "2,0"}, "workers are numbers from 1 on"},
		"a task":            {map[string]string{"BACKFILL_BENCH_TASKS": "old"}, `"old"; there are new, value, indexed`},
		"a contender":       {map[string]string{"BACKFILL_BENCH_CONTENDERS": "fast"}, `"fast"; there are users, update`},
		"no server":         {map[string]string{"DATABASE_URL": "postgres://stack"}, "BACKFILL_BENCH_SERVERS is not set"},
		"no stack":          {map[string]string{"BACKFILL_BENCH_SERVERS": "postgres://one"}, "DATABASE_URL is not set"},
		"nothing in common": {map[string]string{"BACKFILL_BENCH_CONTENDERS": "users"}, "none of these tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := complete(t, c.environment)
			if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}
