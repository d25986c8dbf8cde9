package worker_test

import (
	"errors"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/runtest"

	"golang.org/x/sync/errgroup"
)

// TestADeliveryTellsItsFiguresOnce, however many batches it had: what it did, and what it waited for.
func TestADeliveryTellsItsFiguresOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	gauges := runtest.NewGauges()
	user := b.db.Connect(t)
	for _, sql := range []string{"BEGIN", "UPDATE counters SET note = note WHERE id = 700"} {
		_, err := user.Exec(t.Context(), sql)
		must(t, err)
	}
	w := b.worker(t, b.db.URL).Tell(gauges.Writer)
	var delivery errgroup.Group
	delivery.Go(func() error { return w.Work(t.Context(), b.chunk.Message(1)) })
	pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM backfill.ledger WHERE not_before > clock_timestamp())")
	_, err := user.Exec(t.Context(), "ROLLBACK")
	must(t, err)
	must(t, delivery.Wait())
	line := gauges.Expect(t, map[string]any{"run": theRun, "chunk": 1.0, "Backfill": "test", "RowsHandled": float64(rows), "RowsWritten": float64(rows),
		"ChunksCompleted": 1.0, "ChunksGivenBack": 0.0, "ChunksFailed": 0.0})
	waits, failures, batches := line["LockWaits"].(float64), line["BatchFailures"].(float64), line["Batches"].(float64)
	if took, _ := line["BatchTime"].([]any); waits < 1 || failures < waits || float64(len(took)) < batches+failures {
		t.Errorf("%v batches, %v failed, %v waited; times %v", batches, failures, waits, line["BatchTime"])
	}
	must(t, w.Work(t.Context(), b.chunk.Message(1))) // the same once more
	gauges.Expect(t, map[string]any{"run": theRun, "DeliveriesWithoutWork": 1.0, "DeliveriesUnwatched": nil, "RowsHandled": nil})
}

// TestASilentGovernorIsTold by the workers: it cannot do so itself.
func TestASilentGovernorIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	gauges := runtest.NewGauges()
	_, err := b.conn.Exec(t.Context(), "UPDATE backfill.runs SET heartbeat = heartbeat - interval '1 day'")
	must(t, err)
	must(t, b.worker(t, b.db.URL).Tell(gauges.Writer).Work(t.Context(), b.chunk.Message(1)))
	gauges.Expect(t, map[string]any{"DeliveriesUnwatched": 1.0, "DeliveriesWithoutWork": 1.0})
}

// TestAFailedChunkIsCounted as one.
func TestAFailedChunkIsCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	gauges := runtest.NewGauges()
	_, err := b.conn.Exec(t.Context(), "ALTER TABLE counters ADD CHECK (n <> 701) NOT VALID")
	must(t, err)
	must(t, b.worker(t, b.db.URL).Tell(gauges.Writer).Work(t.Context(), b.chunk.Message(1)))
	gauges.Expect(t, map[string]any{"ChunksFailed": 1.0, "ChunksCompleted": 0.0})
}

// TestAMessageThatComesAgainIsCounted: it is no error of the function's, so nothing else would show it.
func TestAMessageThatComesAgainIsCounted(t *testing.T) {
	t.Parallel()
	b, gauges := setup(t, pgtest.Newest(t), counters), runtest.NewGauges()
	b.worker(t, b.db.URL).Tell(gauges.Writer).Lost(t.Context(), b.chunk.Message(1), "m-1", errors.New("no route to host"))
	gauges.Expect(t, map[string]any{"DeliveriesFailed": 1.0, "run": theRun, "chunk": 1.0})
}
