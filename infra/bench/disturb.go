package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"backfill/infra/bench/cluster"
	"backfill/infra/bench/disturbance"
	"backfill/infra/bench/ground"
	"backfill/infra/bench/report"
	"backfill/infra/bench/scene"
	"backfill/infra/bench/steered"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// disturb is what `bench disturb` is asked.
type disturb struct {
	programs string
	place    string
	rows     int64
	rate     int64
	workers  int
	throttle string
	times    scene.Times
	out      string
	picture  string
	redraw   string
}

const disturbing = `Makes a database slow on purpose in the middle of a run, beside users, and tells how the run took it.
It starts two Postgres servers of its own, a primary and a standby that streams from it, and removes them.`

func disturbCommand() *cobra.Command {
	var d disturb
	c := &cobra.Command{Use: "disturb", Short: "Make a database slow on purpose, beside users and a run", Long: disturbing, Args: cobra.NoArgs}
	d.flags(c.Flags())
	c.RunE = func(at *cobra.Command, _ []string) error {
		switch {
		case d.redraw != "":
			return d.again()
		case d.programs == "":
			return fmt.Errorf("%w: --programs is not given: run this by `make disturb`", errUsage)
		case d.rows < 100_000 || d.rate < 0 || d.workers < 1:
			return fmt.Errorf("%w: rows are a number from 100000 on, rate from 0, workers from 1", errUsage)
		}
		return d.run(at.Context())
	}
	return c
}

func (d *disturb) flags(f *pflag.FlagSet) {
	f.StringVar(&d.programs, "programs", "", "folder of postgres and initdb")
	f.StringVar(&d.place, "place", "/var/tmp", "where the servers' data goes for as long as it takes: a disk, no file system in memory")
	f.Int64Var(&d.rows, "rows", 3_000_000, "rows of the table")
	f.Int64Var(&d.rate, "rate", 10_000, "rows/s, an operator's limit; 0: none")
	f.IntVar(&d.workers, "workers", 2, "workers at a time")
	f.StringVar(&d.throttle, "throttle", limits, "lines of the definition that set limits of signals")
	f.DurationVar(&d.times.Idle, "idle", 20*time.Second, "users alone, before the run and after it")
	f.DurationVar(&d.times.Calm, "calm", 25*time.Second, "users and the run, before the first disturbance")
	f.DurationVar(&d.times.Span, "span", 20*time.Second, "a disturbance")
	f.DurationVar(&d.times.After, "after", 45*time.Second, "users and the run, after each")
	f.StringVar(&d.out, "out", ".local/bench", "folder of the record in JSON and of the picture")
	f.StringVar(&d.picture, "picture", "", "another file for the picture")
	f.StringVar(&d.redraw, "redraw", "", "make table and picture of a record that is there already")
}

// limits are those of a machine of two cores, and of a standby that is read from.
const limits = "throttle:\n  running_sessions: 1\n  replica_lag_seconds: 1\n"

func (d *disturb) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.out, 0o755); err != nil { // before minutes are spent
		return fmt.Errorf("keep the record: %w", err)
	}
	machine, begun := report.ThisMachine(), time.Now()
	servers, err := cluster.Open(ctx, d.programs, d.place)
	if servers != nil {
		defer func() { err = errors.Join(err, servers.Close()) }()
	}
	if err != nil {
		return err
	}
	say("fill a table of %d rows", d.rows)
	land, err := ground.NewShared(ctx, servers.URL())
	if err != nil {
		return err
	}
	defer land.Close()
	table, err := land.Make(ctx, ground.Tasks[1], d.rows)
	if err != nil {
		return err
	}
	if err := servers.CaughtUp(ctx); err != nil {
		return err
	}
	play := scene.Scene{
		Cluster: servers, Table: table, Times: d.times, Disturbances: disturbance.All, Say: say,
		Run: &steered.Steered{URL: servers.URL(), Definition: scene.Definition(d.throttle), Rate: d.rate, Workers: d.workers},
	}
	record, err := play.Play(ctx)
	if err != nil {
		return err
	}
	record.Version, record.Machine, record.Begun = version, machine, begun.UTC()
	if err := table.Conn.QueryRow(ctx, "SELECT 'Postgres ' || split_part(current_setting('server_version'), ' ', 1)").Scan(&record.Server); err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	return d.keep(record)
}

func (d *disturb) keep(r scene.Record) error {
	name := filepath.Join(d.out, r.Begun.Format("disturb-20060102-150405.json"))
	say("the record: %s", name)
	return errors.Join(d.tell(r), write(name, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", " ")
		return encoder.Encode(r)
	}))
}

// tell prints the table, and draws the picture.
func (d *disturb) tell(r scene.Record) error {
	r.Markdown(os.Stdout)
	picture := d.picture
	if picture == "" {
		picture = filepath.Join(d.out, r.Begun.Format("disturb-20060102-150405.svg"))
	}
	say("the picture: %s", picture)
	return write(picture, r.Picture)
}

func (d *disturb) again() error {
	text, err := os.ReadFile(d.redraw)
	if err != nil {
		return fmt.Errorf("read a record: %w", err)
	}
	var r scene.Record
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read a record: %w", err)
	}
	return d.tell(r)
}

func write(name string, content func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return errors.Join(content(file), file.Close())
}
