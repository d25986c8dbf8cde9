package worker_test

import (
	"sync"
	"testing"

	"backfill/internal/change"
	"backfill/internal/pgtest"
)

// older takes the schema back to version 7, as a run has it that began before the deployment.
func (b *bundle) older(t *testing.T) {
	t.Helper()
	b.exec(t, `DROP FUNCTION backfill.steer, backfill.refused, backfill.room, backfill.seats;
		ALTER TABLE backfill.shares DROP COLUMN workers, DROP COLUMN needs, DROP COLUMN error_budget;
		ALTER TABLE backfill.ledger DROP COLUMN advanced_at; ALTER TABLE backfill.conflicts DROP COLUMN why;
		UPDATE backfill.version SET version = 7`)
}

// TestAChunkIsAppliedAfterADeployment: its worker is of a later version than the schema, and comes before any beat.
func TestAChunkIsAppliedAfterADeployment(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := setup(t, db, c)
		b.older(t)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectOnce(t)
	})
}

// TestAFleetComesAtOnceAfterADeployment: each worker finds the older schema, and none of them fails a delivery.
func TestAFleetComesAtOnceAfterADeployment(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		b.older(t)
		var all sync.WaitGroup
		for range 8 {
			hand := b.worker(t, db.URL)
			all.Go(func() {
				if err := hand.Work(t.Context(), b.chunk.Message(1)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		b.expectOnce(t)
	})
}
