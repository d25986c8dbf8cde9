package worker

import (
	"context"
	"log/slog"
	"time"

	"backfill/internal/batch"
	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pace"
)

// margin is what an orderly exit may need before the deadline: a batch that waits for a lock, and the release.
const margin = 5 * time.Second

// walk applies batch after batch until the chunk is done or has to be left. It moves the claim.
func (w *Worker) walk(ctx context.Context, runner batch.Runner, claim *ledger.Claim) exit {
	walk := &walk{worker: w, runner: runner, claim: claim, patience: newPatience()}
	for {
		if deadline.Remaining(ctx) < margin {
			return exit{state: chunk.Pending, reason: "deadline of the function"}
		}
		done, err := walk.step(ctx)
		if done {
			return exit{state: chunk.Completed}
		}
		if err != nil {
			if stop, exit := walk.recover(ctx, err); stop {
				return exit
			}
		}
	}
}

// walk is the state of one delivery's way through its chunk.
type walk struct {
	worker   *Worker
	runner   batch.Runner
	claim    *ledger.Claim
	pace     pace.Pace
	patience *patience
	next     *batch.Target // nil: has to be looked up
}

// step applies one batch.
func (s *walk) step(ctx context.Context) (done bool, err error) {
	conn, err := s.worker.session.Conn(ctx)
	if err != nil {
		return false, err
	}
	if s.next == nil {
		target, err := s.runner.Find(ctx, conn, *s.claim, s.pace.Rows())
		if err != nil {
			return false, err
		}
		s.next = &target
	}
	outcome, next, err := s.runner.Apply(ctx, conn, s.claim, *s.next, s.pace.Rows())
	if err != nil {
		s.next = nil
		return false, err
	}
	s.pace.Observe(outcome.Keys, outcome.Took)
	s.patience.renew()
	s.next = &next
	return outcome.Done, nil
}

// recover decides what an error means for the walk: try the batch again, claim again, or leave.
func (s *walk) recover(ctx context.Context, err error) (stop bool, out exit) {
	class := failure.Of(err)
	slog.WarnContext(ctx, "batch failed", "run", s.claim.Message.Run, "chunk", s.claim.Message.Chunk, "fence", s.claim.Fence,
		"seq", s.claim.Seq, "class", class, "error", failure.Safe(err))
	if class != failure.Transient && class != failure.Unknown {
		return true, exitFor(err)
	}
	if !s.patience.wait(ctx, margin) {
		return true, exit{state: chunk.Pending, pause: longest, reason: "backing off: " + failure.Safe(err)}
	}
	s.pace.Shrink()
	s.next = nil
	if class == failure.Unknown {
		return s.claimAgain(ctx)
	}
	return false, exit{}
}

// claimAgain finds the outcome of a batch whose answer never came: the ledger's position says whether it committed.
func (s *walk) claimAgain(ctx context.Context) (stop bool, out exit) {
	s.worker.session.Drop()
	claim, err := s.worker.claim(ctx, s.claim.Message, s.claim.Owner)
	if err != nil {
		return true, exitFor(err)
	}
	*s.claim = claim
	switch claim.Verdict {
	case ledger.Claimed:
		return false, exit{}
	case ledger.Done:
		return true, exit{state: chunk.Completed}
	default:
		return true, exit{reason: "lost the lease: " + string(claim.Verdict)}
	}
}
