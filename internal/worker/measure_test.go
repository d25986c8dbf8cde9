package worker_test

import (
	"context"
	"runtime"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/worker"

	"golang.org/x/sync/errgroup"
)

// mortal is a ledger at which a worker dies when it is to note its stay.
type mortal struct{ *ledger.Ledger }

func (mortal) Stayed(context.Context, ledger.Claim, ledger.Meter, int64, int64) error {
	runtime.Goexit()
	return nil
}

// interrupted has a worker leave the chunk of a canary in the middle, since the run is paused; then the run goes on.
func (b *bundle) interrupted(t *testing.T, dies bool) (scanned int64) {
	t.Helper()
	b.exec(t, "UPDATE backfill.runs SET canary = 10000")
	proxy := pgtest.NewProxy(t, b.db)
	look, paused := b.db.Connect(t), false
	proxy.CutWhen(func(server bool, kind byte) bool {
		if server || kind != pgtest.Sync || paused {
			return false
		}
		err := look.QueryRow(context.Background(), "SELECT coalesce(sum(scanned), 0) > 0 FROM backfill.ledger").Scan(&paused)
		if err == nil && paused {
			_, err = b.ledger.Pause(context.Background(), theRun, "ann", "lunch")
		}
		if err != nil {
			t.Error(err)
		}
		return false
	})
	session := b.session(t, proxy.URL)
	var entries worker.Ledger = ledger.New(session, b.terms)
	if dies {
		entries = mortal{ledger.New(session, b.terms)}
	}
	var delivery errgroup.Group
	delivery.Go(func() error {
		return worker.New(session, entries, b.checkpoints, b.terms.Lease).Work(t.Context(), b.chunk.Message(1))
	})
	must(t, delivery.Wait())
	b.expectLedger(t, chunk.Pending)
	must(t, b.conn.QueryRow(t.Context(), "SELECT scanned FROM backfill.ledger WHERE lease_until IS NULL").Scan(&scanned))
	if scanned == 0 || scanned >= rows {
		t.Fatalf("it has looked at %d rows", scanned)
	}
	_, _, err := b.ledger.Rest(t.Context(), theRun)
	must(t, err)
	_, err = b.ledger.Unpause(t.Context(), theRun, "ann", "")
	must(t, err)
	return scanned
}

// TestStaysAddUpToTheChunk: what was looked at and written is counted once, and one stay begins when the other is over.
func TestStaysAddUpToTheChunk(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		first := b.interrupted(t, false)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
		b.expectLedger(t, chunk.Completed)
		b.expectNumbers(t, "SELECT count(*) FROM backfill.stays", 2, "SELECT sum(keys) FROM backfill.stays", rows, "SELECT sum(rows) FROM backfill.stays", rows,
			"SELECT keys FROM backfill.stays ORDER BY fence LIMIT 1", int(first),
			"SELECT count(*) FROM backfill.stays WHERE begun_at < ended_at AND wal_to - wal_from >= 50 * rows AND (wal_to - wal_from <= 2000 * rows OR NOT own)", 2,
			"SELECT count(*) FROM backfill.stays a JOIN backfill.stays b ON b.fence > a.fence AND b.begun_at >= a.ended_at", 1)
	})
}

// TestWhoDiesAtTheNoteOfItsStayHasLeftTheChunk: another worker finishes it at once, and tells of its own stay.
func TestWhoDiesAtTheNoteOfItsStayHasLeftTheChunk(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	first := b.interrupted(t, true)
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(2)))
	b.expectLedger(t, chunk.Completed)
	b.expectNumbers(t, "SELECT count(*) FROM backfill.stays", 1, "SELECT keys FROM backfill.stays", rows-int(first))
}
