package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/statement"
	"backfill/internal/striping"
	"backfill/internal/transform"
)

// unfit says why this build must not work on a chunk; "" where it may. A rollback needs no function.
func unfit(c change.Change, claim ledger.Claim) string {
	switch {
	case !c.Kind.Known():
		return fmt.Sprintf("this version of the worker knows no changes of kind %q: deploy the one that began the run", c.Kind)
	case c.Kind == change.Transform && !claim.Back:
		return transform.Unfit(c.Function.Name, c.Function.Version)
	}
	return ""
}

// transformed makes the batches of a chunk whose values a Go function computes.
func (w *Worker) transformed(runner batch.Runner, claim ledger.Claim) batches {
	function, _ := transform.Find(runner.Change.Function.Name)
	t := &batch.Transformed{Runner: runner, Function: function, Form: transform.NewForm(*runner.Change.Function), Source: &batch.InOrder{}}
	if w.reads != nil {
		t.Reads = w.reads
	}
	switch {
	case claim.Due:
		return &batch.Retried{Runner: runner, Computed: t}
	case claim.Passes > striping.Plain:
		t.Source = &batch.InPasses{Window: window(runner.Change, claim.Passes)}
	}
	return t
}

func window(c change.Change, passes int) statement.Window {
	keys, batches := striping.Window(c.ChunkRows)
	return statement.Window{Keys: keys, Passes: passes, Batches: batches}
}

// take goes on by other batches. What those before have under way has ended then.
func (s *walk) take(next batches) {
	s.close()
	s.batches = next
}

func (s *walk) close() {
	if ahead, ok := s.batches.(interface{ Close() }); ok {
		ahead.Close()
	}
}

// keep renews the lease after a call that failed: it has taken its time, and was no batch.
func (s *walk) keep(ctx context.Context, err error) {
	var broken *transform.Broken
	if !errors.As(err, &broken) {
		return
	}
	if _, err := s.worker.ledger.Hold(ctx, *s.claim); err != nil {
		slog.InfoContext(ctx, "lease not renewed", "run", s.claim.Message.Run, "chunk", s.claim.Message.Chunk, "class", failure.Of(err), "error", failure.Safe(err))
	}
}
