package contender

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"backfill/infra/bench/ground"
	"backfill/infra/bench/journal"
)

// command is the operators' command; `make bench` builds it.
const command = "bin/backfill"

// pipeline makes the contender that is the deployed stack, as an operator uses it.
func pipeline(undo bool) func(context.Context, *ground.Table) ([]Leg, error) {
	return func(_ context.Context, table *ground.Table) ([]Leg, error) {
		d := &deployed{table: table, undo: undo}
		if undo {
			return []Leg{{Name: Kept, Work: d.start, Notes: d.notes}, {Name: Restored, Work: d.rollback, Notes: d.notes, Back: true}}, nil
		}
		return []Leg{{Name: Deployed, Work: d.start, Notes: d.notes}}, nil
	}
}

type deployed struct {
	table *ground.Table
	undo  bool
	run   string
	mark  journal.Mark // when the leg began
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
	d.run, d.mark = fmt.Sprintf("bench-%d", time.Now().UnixMilli()), journal.Now(journal.Folder)
	return d.operate(ctx, "start", "-f", file.Name(), "--run", d.run, "--wait")
}

func (d *deployed) rollback(ctx context.Context) error {
	d.mark = journal.Now(journal.Folder)
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

// notes has what the leg caused on AWS and in the workers, beside its undo.
func (d *deployed) notes(ctx context.Context) (Notes, error) {
	n, err := undoOf(ctx, d.table.Conn, d.run)
	if err != nil {
		return n, err
	}
	var chunks int64
	err = d.table.Conn.QueryRow(ctx, "SELECT count(*) FROM backfill.ledger WHERE run = $1", d.run).Scan(&chunks)
	if err != nil {
		return n, fmt.Errorf("count the chunks of run %s: %w", d.run, err)
	}
	n.Plane = newPlane(chunks, d.mark.Since())
	return n, nil
}
