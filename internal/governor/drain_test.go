package governor_test

import (
	"context"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/queue"
	"backfill/internal/repair"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// TestADeadLetterEndsTheRun with the reason of its chunk.
func TestADeadLetterEndsTheRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.beat(t)
	b.letters.Put(&chunk.Message{Run: runtest.ID, Chunk: 3, Lo: keyset.Point{"200"}, Hi: keyset.Point{"300"}, Send: 1})
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
	b.expect(t, b.beat(t), turn.End, run.Failed, "chunk 3 failed: its message was received as often as the queue allows")
}

// broken is a dead-letter queue that cannot be read.
type broken struct{ *runtest.Letters }

func (broken) Receive(context.Context) ([]queue.Letter, error) {
	return nil, failure.New(failure.Transient, "AccessDenied")
}

// TestARunGoesOnWhereDeadLettersCannotBeRead.
func TestARunGoesOnWhereDeadLettersCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.governor.Drainer = repair.Drainer{Letters: broken{b.letters}, Ledger: b.Ledger, Records: b.Records}
	b.expect(t, b.beat(t), turn.Beat, run.Running, "")
}
