package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

// eachWay tests a chunk that is walked in the order of its keys, on each server, and one that is gone over in passes, on the newest: that the SQL of
// passes does the same on each is shown by batch, and by TestUsersAtWork.
func eachWay(t *testing.T, test func(t *testing.T, db pgtest.Database, c change.Change)) {
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) { test(t, db, counters) })
	})
	t.Run("passes", func(t *testing.T) { inPasses(t, test) })
}

// eachWayOnce is the same for what SQL has no part in: on the newest server alone.
func eachWayOnce(t *testing.T, test func(t *testing.T, db pgtest.Database, c change.Change)) {
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.Newest(t), counters)
	})
	t.Run("passes", func(t *testing.T) { inPasses(t, test) })
}

func inPasses(t *testing.T, test func(t *testing.T, db pgtest.Database, c change.Change)) {
	t.Parallel()
	c := counters
	c.ChunkRows = striped
	test(t, pgtest.Newest(t), c)
}

// eachKind is eachWay, and each other kind of change: on each server where its SQL differs by the version, which is so of a transform in the
// order of the keys, else on the newest.
func eachKind(t *testing.T, test func(t *testing.T, db pgtest.Database, c change.Change)) {
	eachWay(t, test)
	for name, c := range everyKind() {
		if c.Kind == change.Set {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "transform" {
				test(t, pgtest.Newest(t), c)
				return
			}
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) { test(t, db, c) })
		})
	}
}

func TestAChunkIsAppliedOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectOnce(t)
		b.expectPasses(t, c.ChunkRows == striped)
		want := []chunk.State{chunk.Processing, chunk.Completed, chunk.Completed}
		if diff := cmp.Diff(want, b.checkpoints.states); diff != "" {
			t.Fatalf("checkpoints: %s", diff)
		}
	})
}

// TestEveryLostAnswerIsFound cuts the connection at the n-th Sync, or at the n-th answer to one: before the commit, and between the commit and
// the answer: for each of the first, then for fewer and fewer of them, since batches are alike.
func TestEveryLostAnswerIsFound(t *testing.T) {
	eachKind(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		proxy := pgtest.NewProxy(t, db)
		for kind, fromServer := range map[byte]bool{pgtest.Sync: false, pgtest.ReadyForQuery: true} {
			n := int64(1)
			for ; b.applyWithCut(t, proxy, fromServer, kind, n); n = pgtest.After(n, 3) {
				b.expectOnce(t)
			}
			if n < 10 {
				t.Fatalf("a chunk has only %d messages of kind %c", n, kind)
			}
		}
	})
}

// applyWithCut applies the chunk anew and tells whether there was an n-th message to cut.
func (b *bundle) applyWithCut(t *testing.T, proxy *pgtest.Proxy, fromServer bool, kind byte, n int64) bool {
	t.Helper()
	b.exec(t, afresh[b.kind])
	b.exec(t, "TRUNCATE backfill.ledger, backfill.undo, backfill.stripes")
	var seen atomic.Int64
	proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && seen.Add(1) == n })
	must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(1)))
	return seen.Load() >= n
}

func TestThreeDeliveriesAtOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		var all sync.WaitGroup
		for range 3 {
			w := b.worker(t, db.URL)
			all.Go(func() {
				if err := w.Work(t.Context(), b.chunk.Message(1)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		b.expectOnce(t)
	})
}

func TestACheckpointThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	b.checkpoints.err = errors.New("throttled")
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectOnce(t)
}

// TestAUserWithALockIsWaitedForInSteps: a user holds a row. The worker gives up its own locks again and again, and
// goes on when the user is done.
func TestAUserWithALockIsWaitedForInSteps(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		user, err := db.Connect(t).Begin(t.Context())
		must(t, err)
		_, err = user.Exec(t.Context(), "UPDATE counters SET n = n WHERE id = 700")
		must(t, err)
		worked := make(chan error)
		go func() { worked <- b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)) }()
		pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
		must(t, user.Commit(t.Context()))
		must(t, <-worked)
		b.expectOnce(t)
	})
}

func TestADataErrorFailsTheChunkWithoutTellingValues(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), change.Change{
		Kind: change.Set, Table: counters.Table, Key: counters.Key, ChunkRows: rows,
		Set: []change.Assignment{{Column: "note", Type: "text", Expression: "CASE WHEN id = 900 THEN '901' ELSE note END"}},
	})
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	reason := b.expectLedger(t, chunk.Failed)
	if !strings.Contains(reason, "23505") || !strings.Contains(reason, "counters_note_key") || strings.Contains(reason, "901") {
		t.Fatalf("reason: %s", reason)
	}
}

func TestADeadlineGivesTheChunkBack(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	short, cancel := context.WithTimeout(t.Context(), time.Second) // less than an orderly exit may need
	defer cancel()
	must(t, b.worker(t, b.db.URL).Work(short, b.chunk.Message(1)))
	if reason := b.expectLedger(t, chunk.Pending); !strings.Contains(reason, "deadline") {
		t.Fatalf("reason: %s", reason)
	}
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectLedger(t, chunk.Pending)
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(2)))
	b.expectOnce(t)
}

// TestACancelStopsBetweenBatches: the run is closed while the worker is in the middle of the chunk.
func TestACancelStopsBetweenBatches(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	proxy := pgtest.NewProxy(t, b.db)
	var syncs atomic.Int64
	proxy.CutWhen(func(fromServer bool, kind byte) bool {
		if !fromServer && kind == pgtest.Sync && syncs.Add(1) == 16 {
			if _, err := b.ledger.Close(t.Context(), theRun, "", run.Cancelled, "enough"); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(1)))
	var changed, affected int64
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE n = id + 1").Scan(&changed))
	must(t, b.conn.QueryRow(t.Context(), "SELECT affected FROM backfill.ledger").Scan(&affected))
	if changed == 0 || changed == rows || changed != affected {
		t.Fatalf("%d rows changed, %d counted, of %d", changed, affected, rows)
	}
	if state, _, err := b.ledger.Finish(t.Context(), theRun); err != nil || state != run.Cancelled {
		t.Fatalf("run is %s, %v", state, err)
	}
}

// TestAPauseGivesTheChunkBack between two batches, and its message is consumed; so is one that comes while the run is paused.
func TestAPauseGivesTheChunkBack(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		proxy := pgtest.NewProxy(t, b.db)
		var syncs atomic.Int64
		proxy.CutWhen(func(fromServer bool, kind byte) bool {
			if !fromServer && kind == pgtest.Sync && syncs.Add(1) == 16 {
				if _, err := b.ledger.Pause(t.Context(), theRun, "ann", "paused by ann"); err != nil {
					t.Error(err)
				}
			}
			return false
		})
		must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(1)))
		if reason := b.expectLedger(t, chunk.Pending); !strings.Contains(reason, "run run-1 is PAUSING") {
			t.Fatalf("reason: %s", reason)
		}
		if state, _, err := b.ledger.Rest(t.Context(), theRun); err != nil || state != run.Paused {
			t.Fatalf("run is %s, %v", state, err)
		}
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
		b.expectLedger(t, chunk.Pending)
		if _, err := b.ledger.Unpause(t.Context(), theRun, "ann", ""); err != nil {
			t.Fatal(err)
		}
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
		b.expectOnce(t)
	})
}

// TestRowsThatAreDear: so many that a batch of the usual size cannot end in its time. One delivery finds a size that can.
func TestRowsThatAreDear(t *testing.T) {
	t.Parallel()
	dear := counters
	dear.Set = []change.Assignment{{Column: "n", Type: "integer", Expression: "n + 1 + length(pg_sleep(0.04)::text)"}}
	b := setup(t, pgtest.Newest(t), dear)
	b.exec(t, "DELETE FROM counters WHERE id > 50")
	b.terms.Lease = 3 * time.Second // a statement may take a second; a row takes 0.08, to be compared and to be written
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectLedger(t, chunk.Completed)
	var right int
	if must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE n = id + 1").Scan(&right)); right != 50 {
		t.Fatalf("%d of 50 rows are right", right)
	}
}

func (b *bundle) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := b.conn.Exec(t.Context(), sql)
	must(t, err)
}
