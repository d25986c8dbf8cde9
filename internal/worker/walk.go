package worker

import (
	"context"
	"log/slog"
	"time"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pace"
	"backfill/internal/postgres"
	"backfill/internal/striping"

	"github.com/jackc/pgx/v5"
)

// margin is what an orderly exit may need before the deadline: a batch that waits for a lock, and the release.
const margin = 5 * time.Second

// parked is for how long a chunk waits for a worker of another version.
const parked = time.Minute

// walk applies batch after batch until the chunk is done or has to be left. It moves the claim.
func (w *Worker) walk(ctx context.Context, c change.Change, claim *ledger.Claim) (out exit) {
	if reason := unfit(c, *claim); reason != "" {
		return exit{state: chunk.Pending, pause: parked, reason: reason}
	}
	ctx, cancel := context.WithCancel(ctx)
	walk := &walk{worker: w, change: c, batches: w.batches(c, *claim), claim: claim, pace: pace.New(c.RowBytes), patience: newPatience(tries)}
	defer func() { // of what is computed ahead
		cancel()
		walk.close()
	}()
	defer func() { out.worked, out.tally = walk.worked, walk.tally }()
	defer walk.giveBack(ctx)
	for {
		if deadline.Remaining(ctx) < margin {
			return exit{state: chunk.Pending, reason: "deadline of the function"}
		}
		if stop, exit := walk.reserve(ctx); stop {
			return exit
		}
		if claim.Surplus != "" {
			return exit{state: chunk.Pending, pause: soon, reason: claim.Surplus}
		}
		done, err := walk.step(ctx)
		if done {
			return exit{state: finished(claim.Back)}
		}
		if err != nil {
			if stop, exit := walk.recover(ctx, err); stop {
				return exit
			}
		}
	}
}

// batches makes the batches of a chunk.
func (w *Worker) batches(c change.Change, claim ledger.Claim) batches {
	runner := batch.Runner{Change: c, Timeout: w.timeout}
	switch {
	case claim.Back:
		return &batch.Back{Change: c, Timeout: w.timeout}
	case claim.Verifies:
		return &batch.Verifying{Runner: runner}
	case c.Kind == change.Transform:
		return w.transformed(runner, claim)
	case claim.Due:
		return &batch.Retried{Runner: runner}
	case claim.Passes > striping.Plain:
		return &batch.Striped{Runner: runner, Window: window(c, claim.Passes)}
	}
	return &batch.Forward{Runner: runner}
}

// finished is the state of a chunk of which nothing is left.
func finished(back bool) chunk.State {
	if back {
		return chunk.RolledBack
	}
	return chunk.Completed
}

// batches applies the batches of one chunk, forward or back, or looks at it once more.
type batches interface {
	Step(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, rows int64) (batch.Outcome, error)
	// Pass passes over the row at which a batch of one has failed.
	Pass(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, row ledger.Reject) error
}

// walk is the state of one delivery's way through its chunk.
type walk struct {
	worker   *Worker
	change   change.Change
	batches  batches
	claim    *ledger.Claim
	pace     pace.Pace
	patience *patience
	suspects suspects
	poison   *batch.Failed // the row that the next step passes over
	quota    quota
	worked   time.Duration // in batches, whatever came of them
	tally    tally
}

// step applies one batch.
func (s *walk) step(ctx context.Context) (done bool, err error) {
	conn, err := s.worker.session.Conn(ctx)
	if err != nil {
		return false, err
	}
	begun := time.Now()
	if s.poison != nil {
		err = s.pass(ctx, conn)
		s.worked += time.Since(begun)
		return false, err
	}
	retried := s.claim.Due
	outcome, err := s.batches.Step(ctx, conn, s.claim, s.suspects.bound(s.quota.bound(s.pace.Rows())))
	s.worked += time.Since(begun)
	s.tally.batch(time.Since(begun))
	if err != nil {
		return false, err
	}
	s.suspects.clear(outcome.Keys)
	s.quota.use(outcome.Keys)
	s.pace.Observe(outcome.Keys, outcome.Took, outcome.Bytes)
	s.patience.renew()
	switch {
	case retried && !s.claim.Due: // the chunk goes on from where it was left
		s.take(s.worker.batches(s.change, *s.claim))
	case s.claim.Passes == 0 && !s.claim.Back && !s.claim.Verifies && !outcome.Done && !retried:
		err = s.decide(ctx)
	}
	return outcome.Done, err
}

// decide chooses the passes, once for each chunk, as soon as its first batches have shown enough.
func (s *walk) decide(ctx context.Context) error {
	figures := striping.Figures{
		Chunk: s.claim.Message.Chunk, Scanned: s.claim.Scanned, Written: s.claim.Affected, Striped: s.claim.Striped, Hot: s.claim.Hot,
	}
	if !figures.Enough() {
		return nil
	}
	passes, reason, err := s.choose(ctx, figures)
	if err != nil {
		return err
	}
	if held, err := s.worker.ledger.Decide(ctx, *s.claim, passes, reason); err != nil || !held {
		return err // a claim that does not hold is told by the next batch
	}
	if s.claim.Passes = passes; passes > striping.Plain {
		s.take(s.worker.batches(s.change, *s.claim))
	}
	return nil
}

// choose looks where rows lie only where nothing else is against passes.
func (s *walk) choose(ctx context.Context, figures striping.Figures) (passes int, reason string, err error) {
	if passes, reason = striping.Choose(s.change, figures); passes == striping.Plain {
		return passes, reason, nil
	}
	conn, err := s.worker.session.Conn(ctx)
	if err != nil {
		return 0, "", err
	}
	if figures.Near, figures.Pages, err = batch.Neighbours(ctx, conn, s.change, s.claim.From()); err != nil {
		return 0, "", err
	}
	passes, reason = striping.Choose(s.change, figures)
	return passes, reason, nil
}

// recover decides what an error means for the walk: try the batch again, claim again, or leave.
func (s *walk) recover(ctx context.Context, err error) (stop bool, out exit) {
	class := failure.Of(err)
	s.poison = nil
	s.tally.failed(err)
	s.keep(ctx, err)
	slog.WarnContext(ctx, "batch failed", "run", s.claim.Message.Run, "chunk", s.claim.Message.Chunk, "fence", s.claim.Fence,
		"seq", s.claim.Seq, "class", class, "error", failure.Safe(err))
	if postgres.Raised(err, failure.StaleFence) && s.patience.wait(ctx, margin) {
		return s.claimAgain(ctx) // a crash behind a pooler may have taken batches back
	}
	if class != failure.Transient && class != failure.Unknown {
		return !s.rejects(class, err) && !s.suspects.narrow(class, err), exitFor(err)
	}
	if !s.backOff(ctx, class, err) {
		return true, exit{state: chunk.Pending, pause: longest, reason: backingOff(err)}
	}
	if postgres.Raised(err, failure.QueryCanceled) {
		s.pace.Overrun()
	} else {
		s.pace.Shrink()
	}
	if class == failure.Unknown {
		s.worker.session.Drop()
		return s.claimAgain(ctx)
	}
	return false, exit{}
}

// noticed is a wait that somebody who looks at the chunk may wonder about.
const noticed = time.Second

// backOff rests before the batch is tried again. The ledger has why and until when, as far as the connection is good for it: what
// cannot be noted is in the log.
func (s *walk) backOff(ctx context.Context, class failure.Class, err error) bool {
	rest, worthIt := s.patience.next(ctx, margin)
	if !worthIt {
		return false
	}
	if class == failure.Transient && rest >= noticed {
		if _, err := s.worker.ledger.BacksOff(ctx, *s.claim, rest, backingOff(err)); err != nil {
			slog.InfoContext(ctx, "wait not noted", "run", s.claim.Message.Run, "chunk", s.claim.Message.Chunk, "class", failure.Of(err), "error", failure.Safe(err))
		}
	}
	return deadline.Rest(ctx, rest)
}

// claimAgain finds out where the chunk stands: the ledger's position says whether a batch whose answer never came was
// committed.
func (s *walk) claimAgain(ctx context.Context) (stop bool, out exit) {
	claim, err := s.worker.claim(ctx, s.claim.Message, s.claim.Owner)
	if err != nil {
		return true, exitFor(err)
	}
	switch claim.Verdict {
	case ledger.Claimed:
		*s.claim = claim
		s.take(s.worker.batches(s.change, claim))
		return false, exit{}
	case ledger.Done, ledger.Undone:
		*s.claim = claim
		return true, exit{state: finished(s.claim.Back)}
	default:
		return true, exit{reason: "lost the lease: " + string(claim.Verdict)}
	}
}
