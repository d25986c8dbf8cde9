package faults

import (
	"testing"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
)

// TestEachMessageThreeTimesAtOnce: whatever is sent arrives three times, at as many workers.
func TestEachMessageThreeTimesAtOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 4})
	s.gateway.Watch(func(call gateway.Call) gateway.Fault {
		if call.Operation == "SendMessageBatch" {
			return gateway.Triple
		}
		return nil
	})
	w := increment{rows: 6000, chunkRows: 1000, slowly: 0.0002}.makeTable(t, db)
	s.start(t, w).completes(t)
	s.log.Await(t, patience, `"verdict":"leased"`)
}
