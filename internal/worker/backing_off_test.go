package worker_test

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"

	"golang.org/x/sync/errgroup"
)

// TestAChunkThatBacksOffSaysSo: why and until when, while its worker waits for a user's lock. Nothing of it is left when the chunk
// is done.
func TestAChunkThatBacksOffSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), counters)
	user := b.db.Connect(t)
	for _, sql := range []string{"BEGIN", "UPDATE counters SET note = note WHERE id = 700"} {
		_, err := user.Exec(t.Context(), sql)
		must(t, err)
	}
	var delivery errgroup.Group
	delivery.Go(func() error { return b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)) })
	pgtest.WaitUntil(t, b.conn, "SELECT EXISTS (SELECT FROM backfill.ledger WHERE not_before > clock_timestamp())")
	waiting := b.listed(t)
	if waiting.State != chunk.Processing || waiting.NotBefore == nil || !strings.HasPrefix(waiting.Reason, "backing off: ") ||
		!strings.Contains(waiting.Reason, "SQLSTATE 55P03 (lock_not_available)") {
		t.Errorf("%+v", waiting)
	}
	var renewed bool // by all that it waits, and a lease: the claim alone gave it one
	must(t, b.conn.QueryRow(t.Context(), "SELECT lease_until > updated_at + $1::interval FROM backfill.ledger", b.terms.Lease+500*time.Millisecond).Scan(&renewed))
	if !renewed {
		t.Error("its lease goes on from the claim: it would be taken for dead")
	}
	_, err := user.Exec(t.Context(), "ROLLBACK")
	must(t, err)
	must(t, delivery.Wait())
	b.expectOnce(t)
	if done := b.listed(t); done.NotBefore != nil || done.Reason != "" {
		t.Errorf("%+v", done)
	}
}

func (b *bundle) listed(t *testing.T) ledger.Listed {
	t.Helper()
	all, err := b.ledger.List(t.Context(), theRun, ledger.Listing{Limit: 2})
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	return all[0]
}
