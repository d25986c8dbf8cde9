package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backfill/infra/bench/contest"

	"github.com/spf13/pflag"
)

// errUsage marks what a user has to change in the command.
var errUsage = errors.New("wrong usage")

// Environment variables that are no flags: URLs have passwords, and others see the arguments of a process.
const (
	prefix        = "BACKFILL_BENCH_"
	serversOfOurs = prefix + "SERVERS" // URLs of durable servers
	stackDatabase = "DATABASE_URL"     // of the deployed stack
)

type settings struct {
	rows       int64
	rounds     int
	tasks      []string
	contenders []string
	workers    []int
	full       bool
	limit      time.Duration
	out        string

	servers []string
	stack   string
	groups  []contest.Group
}

func (s *settings) flags(f *pflag.FlagSet) {
	f.Int64Var(&s.rows, "rows", 400_000, "rows of the table: four chunks, so that two workers have as much to do each")
	f.IntVar(&s.rounds, "rounds", 5, "how often everything is measured")
	f.StringSliceVar(&s.tasks, "tasks", nil, "new, value, indexed; none: all")
	f.StringSliceVar(&s.contenders, "contenders", nil, strings.Join(contest.Contenders(), ", ")+"; none: the plan's")
	f.IntSliceVar(&s.workers, "workers", []int{2}, "workers of direct, plain and undo; with several numbers, as in 1,2,4, each of these takes part with each")
	f.BoolVar(&s.full, "full", false, "every contender for every task")
	f.DurationVar(&s.limit, "limit", 0, "no round begins that would go beyond this time; 0: none")
	f.StringVar(&s.out, "out", ".local/bench", "folder of the figures in JSON")
}

// complete takes from the environment what no flag gives, and judges the whole.
func (s *settings) complete(f *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var wrong []error
	f.VisitAll(func(flag *pflag.Flag) {
		name := prefix + strings.ToUpper(flag.Name)
		if value, given := lookup(name); given && value != "" && !flag.Changed {
			if err := f.Set(flag.Name, value); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	if s.rows < 1 || s.rounds < 1 {
		wrong = append(wrong, errors.New("rows and rounds are numbers from 1 on"))
	}
	if len(s.workers) == 0 || slices.Min(s.workers) < 1 {
		wrong = append(wrong, errors.New("workers are numbers from 1 on"))
	}
	slices.Sort(s.workers)
	s.workers = slices.Compact(s.workers)
	servers, _ := lookup(serversOfOurs)
	s.servers = strings.Fields(servers)
	s.stack, _ = lookup(stackDatabase)
	groups, err := contest.Plan(s.full, s.tasks, s.contenders, s.workers)
	s.groups = groups
	if wrong = append(wrong, err); errors.Join(wrong...) != nil {
		return fmt.Errorf("%w: %w", errUsage, errors.Join(wrong...))
	}
	return s.demand()
}

// demand names the servers that the plan needs and the environment does not give.
func (s *settings) demand() error {
	if s.needs(false) && len(s.servers) == 0 {
		return fmt.Errorf("%w: %s is not set: run this by `make bench`", errUsage, serversOfOurs)
	}
	if s.needs(true) && s.stack == "" {
		return fmt.Errorf("%w: %s is not set: run this by `make bench`", errUsage, stackDatabase)
	}
	return nil
}
