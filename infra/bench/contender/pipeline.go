package contender

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"backfill/infra/bench/ground"
)

// command is the operators' command; `make bench` builds it.
const command = "bin/backfill"

// pipeline makes the contender that is the deployed stack, as an operator uses it.
func pipeline(undo bool) func(context.Context, *ground.Table) ([]Leg, error) {
	return func(_ context.Context, table *ground.Table) ([]Leg, error) {
		d := &deployed{table: table, undo: undo}
		if undo {
			return []Leg{{Name: Kept, Work: d.start, Notes: d.notes}, {Name: Restored, Work: d.rollback, Back: true}}, nil
		}
		return []Leg{{Name: Deployed, Work: d.start, Notes: d.notes}}, nil
	}
}

type deployed struct {
	table *ground.Table
	undo  bool
	run   string
	log   int64 // the length of the worker's log when the run began
}

func (d *deployed) start(ctx context.Context) error {
	file, err := os.CreateTemp("", "bench-*.yaml")
	if err != nil {
		return fmt.Errorf("write the definition: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(d.table.Task.Definition(d.undo))
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write the definition: %w", err)
	}
	d.run, d.log = fmt.Sprintf("bench-%d", time.Now().UnixMilli()), logged()
	return d.operate(ctx, "start", "-f", file.Name(), "--run", d.run, "--wait")
}

func (d *deployed) rollback(ctx context.Context) error {
	return d.operate(ctx, "rollback", d.run, "--wait")
}

// operate runs the command.
func (d *deployed) operate(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, command, args...).CombinedOutput()
	if err == nil {
		return nil
	}
	d.end(context.WithoutCancel(ctx))
	return fmt.Errorf("%s %s: %w\n%s", command, args[0], err, out)
}

// end cancels a run that was left alone, since its table is about to go.
func (d *deployed) end(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	if exec.CommandContext(ctx, command, "cancel", d.run).Run() == nil {
		_ = exec.CommandContext(ctx, command, "watch", d.run).Run() // 1: it was cancelled
	}
}

func (d *deployed) notes(ctx context.Context) (Notes, error) {
	n, err := undoOf(ctx, d.table.Conn, d.run)
	n.Memory = peak(d.log)
	return n, err
}
