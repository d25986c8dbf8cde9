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
	begun time.Time    // the same, by the database's clock
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
	d.run = fmt.Sprintf("bench-%d", time.Now().UnixMilli())
	if err := d.begin(ctx); err != nil {
		return err
	}
	return d.operate(ctx, "start", "-f", file.Name(), "--run", d.run, "--wait")
}

func (d *deployed) rollback(ctx context.Context) error {
	if err := d.begin(ctx); err != nil {
		return err
	}
	return d.operate(ctx, "rollback", d.run, "--wait")
}

// begin notes the moment.
func (d *deployed) begin(ctx context.Context) error {
	d.mark = journal.Now(journal.Folder)
	if err := d.table.Conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&d.begun); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	return nil
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
func (d *deployed) notes(ctx context.Context) (n Notes, err error) {
	if n.Undo, err = undoOf(ctx, d.table.Conn, d.run); err != nil {
		return n, err
	}
	var chunks, workers int64
	var first *time.Time
	err = d.table.Conn.QueryRow(ctx, `SELECT count(*), min(claimed_at) FILTER (WHERE claimed_at >= $2),
		(SELECT coalesce(max(workers), 0) FROM backfill.course WHERE run = $1 AND at >= $2) FROM backfill.ledger WHERE run = $1`,
		d.run, d.begun).Scan(&chunks, &first, &workers)
	if err != nil {
		return n, fmt.Errorf("read the chunks of run %s: %w", d.run, err)
	}
	if first != nil {
		n.First = first.Sub(d.begun).Seconds()
	}
	entries := d.mark.Since()
	n.Batches, n.Plane = newBatches(entries.BatchTimes), newPlane(chunks, workers, entries)
	return n, nil
}
