package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"backfill/infra/bench/contest"
	"backfill/infra/bench/ground"
	"backfill/infra/bench/report"
)

// run measures and reports; what there is of it when something fails.
func (s *settings) run(ctx context.Context) error {
	r := report.Report{Version: version, Machine: report.ThisMachine(), Begun: time.Now().UTC(), Wanted: s.rounds, Workers: s.workers}
	places, err := s.open(ctx)
	defer func() {
		for _, place := range places {
			place.Ground.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, place := range places {
		r.Servers = append(r.Servers, report.Server{Name: place.Name, Settings: place.Settings})
	}
	if fits, err := s.fits(ctx, places); err != nil || !fits {
		return err
	}
	c := contest.Contest{Places: places, Groups: s.groups, Rows: s.rows, Rounds: s.rounds, Limit: s.limit, Say: say}
	r.Figures, r.Rounds, err = c.Run(ctx)
	r.Seconds = time.Since(r.Begun).Seconds()
	if len(r.Figures) == 0 {
		return err
	}
	r.Markdown(os.Stdout)
	return errors.Join(err, s.keep(r))
}

// open takes the servers that the plan needs. Those that are open already come with an error, too.
func (s *settings) open(ctx context.Context) (places []contest.Place, err error) {
	for _, url := range s.servers {
		place, err := contest.Open(ctx, url)
		if err != nil {
			return places, err
		}
		places = append(places, place)
	}
	if s.needs(true) {
		place, err := contest.OpenDeployed(ctx, s.stack)
		if err != nil {
			return places, err
		}
		places = append(places, place)
	}
	return places, nil
}

// needs tells whether the plan has anything to do on the stack's database, or on servers of the benchmark's own.
func (s *settings) needs(deployed bool) bool {
	return slices.ContainsFunc(s.groups, func(g contest.Group) bool { return g.Deployed == deployed })
}

// fits tells whether the disk has room for the rows. Where it has not, that is said, and is no failure.
func (s *settings) fits(ctx context.Context, places []contest.Place) (bool, error) {
	rows := contest.Most(s.groups, s.rows)
	for _, place := range places {
		need, free, err := ground.Room(ctx, place.Ground.Server(), rows, len(ground.Tasks))
		if err != nil {
			return false, err
		}
		if free < need {
			say("%d rows are left out: %s has %d GB free, and they may need %d GB", rows, place.Name, free/1e9, need/1e9)
			return false, nil
		}
	}
	return true, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// keep writes the figures to a file.
func (s *settings) keep(r report.Report) error {
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return fmt.Errorf("keep the figures: %w", err)
	}
	name := filepath.Join(s.out, r.Begun.Format("20060102-150405")+".json")
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("keep the figures: %w", err)
	}
	say("all figures: %s", name)
	return errors.Join(r.JSON(file), file.Close())
}
