package worker

import (
	"context"
	"log/slog"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/deadline"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/pace"
)

// aSecond is about how many batches a worker makes in a second: what it reserves at once.
const aSecond = int64(time.Second / pace.Target)

// quota counts the keys that were reserved and not worked on yet, where the run is limited. Below 0 a batch was larger than what
// was left, which the next reservation pays for.
type quota struct {
	limited bool
	keys    int64
	waited  time.Duration // for room, since the last grant
}

// bound is the size of the next batch.
func (q quota) bound(rows int64) int64 {
	if !q.limited {
		return rows
	}
	return min(rows, max(1, q.keys))
}

// use takes off the keys of a batch that was committed.
func (q *quota) use(keys int64) {
	if q.limited {
		q.keys -= keys
	}
}

// reserve waits until the rate allows the next batch: between two transactions, so nothing is locked meanwhile. A worker for
// which there is no room gives its chunk back, so that no more of them work than the rate has use for.
func (s *walk) reserve(ctx context.Context) (stop bool, out exit) {
	for s.claim.Limited && (!s.quota.limited || s.quota.keys <= 0) {
		got, err := s.worker.ledger.Reserve(ctx, *s.claim, s.pace.Rows()*aSecond-s.quota.keys)
		if err != nil {
			if stop, out := s.recover(ctx, err); stop {
				return true, out
			}
			continue
		}
		s.claim.Steering = got.Steering
		if !got.Limited {
			break
		}
		s.quota.limited = true
		s.quota.keys += got.Rows
		if s.quota.waited += got.Wait; got.Rows > 0 {
			s.quota.waited = 0
		}
		if s.claim.Surplus != "" {
			break // the grant is given back with the chunk
		}
		if s.quota.waited > longest {
			return true, exit{state: chunk.Pending, pause: longest, reason: ledger.NoRoom}
		}
		if deadline.Remaining(ctx) < got.Wait+margin || !deadline.Rest(ctx, got.Wait) {
			return true, exit{state: chunk.Pending, reason: ledger.LateForRoom}
		}
	}
	if !s.claim.Limited {
		s.quota = quota{}
	}
	return false, exit{}
}

// giveBack leaves to others what was reserved and not used.
func (s *walk) giveBack(ctx context.Context) {
	if s.quota.keys <= 0 || deadline.Remaining(ctx) < margin {
		return
	}
	if _, err := s.worker.ledger.Reserve(ctx, *s.claim, -s.quota.keys); err != nil {
		slog.InfoContext(ctx, "reserved rows not given back", "run", s.claim.Message.Run, "chunk", s.claim.Message.Chunk,
			"rows", s.quota.keys, "class", failure.Of(err), "error", failure.Safe(err))
	}
}
