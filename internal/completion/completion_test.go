package completion_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/closing"
	"backfill/internal/completion"
	"backfill/internal/failure"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/google/go-cmp/cmp"
)

// bundle is a run whose three chunks are finished in the ledger; no checkpoint was written.
type bundle struct {
	*runtest.Bench
	completer *completion.Completer
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.New(t)}
	b.Begin(t, 3)
	b.Plan(t, 3)
	b.Finish(t, 1, 2, 3)
	b.completer = completion.New(b.Ledger, b.Records)
	return b
}

func (b *bundle) complete(t *testing.T, want bool) {
	t.Helper()
	got, err := b.completer.Complete(t.Context(), runtest.ID, 3)
	must(t, err)
	if got != want {
		t.Fatalf("complete: %v", got)
	}
}

// checkpoints tells the state of each chunk in DynamoDB, in order.
func (b *bundle) checkpoints(t *testing.T) []records.Checkpoint {
	t.Helper()
	var all []records.Checkpoint
	must(t, b.Records.EachChunk(t.Context(), runtest.ID, func(some []records.Checkpoint) error {
		all = append(all, some...)
		return nil
	}))
	slices.SortFunc(all, func(a, b records.Checkpoint) int { return int(a.Chunk - b.Chunk) })
	return all
}

// TestARunIsNotCompleteUnlessItsRangesTileTheKeySpace: each way in which they do not. Nothing is touched.
func TestARunIsNotCompleteUnlessItsRangesTileTheKeySpace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, "CREATE TABLE intact AS TABLE backfill.ledger")
	const all = 3
	for name, c := range map[string]struct {
		damage  string
		planned int64
	}{
		"the first is missing":           {"DELETE FROM backfill.ledger WHERE chunk = 1", all},
		"one is missing":                 {"DELETE FROM backfill.ledger WHERE chunk = 2", all},
		"one is missing, and not missed": {"DELETE FROM backfill.ledger WHERE chunk = 2", 2},
		"the last is missing":            {"DELETE FROM backfill.ledger WHERE chunk = 3", 2},
		"the numbers do not begin at 1":  {"UPDATE backfill.ledger SET chunk = chunk + 10", all},
		"all are missing":                {"DELETE FROM backfill.ledger", 0},
		"one overlaps the one before":    {"UPDATE backfill.ledger SET lo = '{99}' WHERE chunk = 2", all},
		"one begins too late":            {"UPDATE backfill.ledger SET lo = '{101}' WHERE chunk = 2", all},
		"the first does not begin first": {"UPDATE backfill.ledger SET lo = '{1}' WHERE chunk = 1", all},
		"one was given back":             {"UPDATE backfill.ledger SET state = 'PENDING' WHERE chunk = 2", all},
		"one is at a worker":             {"UPDATE backfill.ledger SET state = 'PROCESSING' WHERE chunk = 3", all},
		"one has failed":                 {"UPDATE backfill.ledger SET state = 'FAILED' WHERE chunk = 1", all},
		"one stopped short of its end":   {"UPDATE backfill.ledger SET position = '{299}' WHERE chunk = 3", all},
		"one never began":                {"UPDATE backfill.ledger SET position = NULL WHERE chunk = 3", all},
		"the bound is not reached":       {"UPDATE backfill.runs SET bound = '{400}'", all},
		"the bound is passed":            {"UPDATE backfill.runs SET bound = '{200}'", all},
		"the table was empty":            {"UPDATE backfill.runs SET bound = NULL", all},
		"more are planned":               {"SELECT", all + 1},
		"fewer are planned":              {"SELECT", all - 1},
	} {
		t.Run(name, func(t *testing.T) {
			b.Exec(t, "TRUNCATE backfill.ledger")
			b.Exec(t, "INSERT INTO backfill.ledger SELECT * FROM intact")
			b.Exec(t, "UPDATE backfill.runs SET bound = '{300}'")
			b.Exec(t, c.damage)
			complete, err := b.completer.Complete(t.Context(), runtest.ID, c.planned)
			if complete || !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), "tile") {
				t.Fatalf("complete: %v, %v", complete, err)
			}
			b.Expect(t, run.Running, "")
			if written := b.checkpoints(t)[0].State; written != chunk.Pending || b.Expiring(t) != 0 {
				t.Fatalf("checkpoint %s, %d items expire", written, b.Expiring(t))
			}
		})
	}
}

// TestLateCheckpointsAreMadeAgain: one was never written, one by a worker that died, one is there.
func TestLateCheckpointsAreMadeAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, "UPDATE backfill.ledger SET fence = chunk")
	for _, c := range []records.Checkpoint{{Chunk: 2, State: chunk.Processing, Fence: 1, Scanned: 50},
		{Chunk: 3, State: chunk.Completed, Fence: 3, Scanned: 100, Affected: 99}} {
		c.Run = runtest.ID
		must(t, b.Records.Checkpoint(t.Context(), c))
	}
	b.complete(t, true)
	for i, got := range b.checkpoints(t) {
		want := records.Checkpoint{Run: runtest.ID, Chunk: int64(i) + 1, State: chunk.Completed, Fence: int64(i) + 1, Scanned: 100,
			Affected: 99, Range: got.Range, Send: 1, SentAt: b.Clock.Now(), Expires: true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	b.Expect(t, run.Completed, "")
	if n := b.Expiring(t); n != 4 {
		t.Errorf("%d items of 4 expire", n)
	}
}

// TestChunksAreReadOnce when a run ends, and the outbox once: a small run has few other calls.
func TestChunksAreReadOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var queries atomic.Int64
	b.Wire.Before = func(operation string) {
		if operation == "Query" {
			queries.Add(1)
		}
	}
	b.complete(t, true)
	if queries.Load() != 3+1 {
		t.Errorf("%d queries for three chunks and the outbox", queries.Load())
	}
}

// TestACheckpointWithAHigherFenceIsNoObstacle: the ledger decides, and says that the chunk is done.
func TestACheckpointWithAHigherFenceIsNoObstacle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	must(t, b.Records.Checkpoint(t.Context(), records.Checkpoint{Run: runtest.ID, Chunk: 2, State: chunk.Processing, Fence: 9}))
	b.complete(t, true)
	b.Expect(t, run.Completed, "")
}

func TestAnEmptyTableIsComplete(t *testing.T) {
	t.Parallel()
	b := &bundle{Bench: runtest.New(t)}
	b.Begin(t, 0)
	b.Plan(t, 0)
	complete, err := completion.New(b.Ledger, b.Records).Complete(t.Context(), runtest.ID, 0)
	if !complete || err != nil {
		t.Fatalf("%v, %v", complete, err)
	}
	b.Expect(t, run.Completed, "")
}

// TestTheRecordsOfARollbackExpire as those of a run do: its checkpoints were written anew.
func TestTheRecordsOfARollbackExpire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.complete(t, true)
	b.RollBack(t, 1, 2)
	done, err := b.completer.RolledBack(t.Context(), runtest.ID)
	must(t, err)
	if n := b.Expiring(t); !done || n != 4 {
		t.Fatalf("done %v, %d items of 4 expire", done, n)
	}
}

// TestTheCheckpointsOfARollbackAgreeBeforeItHasEnded: who stops the execution when it has, leaves nobody to write them.
func TestTheCheckpointsOfARollbackAgreeBeforeItHasEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.complete(t, true)
	b.RollBack(t)
	var updates atomic.Int64
	b.Wire.Before = func(operation string) {
		if operation != "UpdateItem" || updates.Add(1) > 3 {
			return
		}
		stored, err := b.Ledger.Run(t.Context(), runtest.ID)
		if err != nil || stored.State != run.RollingBack {
			t.Errorf("a checkpoint is written when the ledger says %s, %v", stored.State, err)
		}
	}
	done, err := b.completer.RolledBack(t.Context(), runtest.ID)
	must(t, err)
	if !done || updates.Load() < 4 {
		t.Fatalf("done %v, %d updates", done, updates.Load())
	}
	for _, c := range b.checkpoints(t) { // of chunks that wrote nothing: the fence of the rollback is all that is newer
		if c.State != chunk.RolledBack {
			t.Errorf("the record of chunk %d is %s", c.Chunk, c.State)
		}
	}
}

func TestARepeatedCallChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.complete(t, true)
	before := b.Record(t)
	b.Clock.Pass(runtest.Retention)
	b.complete(t, false)
	if diff := cmp.Diff(before, b.Record(t)); diff != "" {
		t.Fatal(diff)
	}
}

// TestARunThatIsCancelledMeanwhileIsNotCompleted: the cancel comes between the proof and the move.
func TestARunThatIsCancelledMeanwhileIsNotCompleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	closer, closed := closing.New(b.Ledger, b.Records), false
	b.Wire.Before = func(operation string) {
		if operation == "UpdateItem" && !closed {
			closed = true
			_, err := closer.Close(t.Context(), runtest.ID, run.Cancelled, "enough")
			must(t, err)
		}
	}
	b.complete(t, false)
	b.Expect(t, run.Cancelled, "enough")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
