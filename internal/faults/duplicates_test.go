package faults

import (
	"testing"

	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
)

// TestEachMessageThreeTimesAtOnce: whatever is sent arrives three times, at as many workers.
func TestEachMessageThreeTimesAtOnce(t *testing.T) {
	eachWay(t, increment{rows: 6000, chunkRows: 1000, slowly: 0.0002}, func(t *testing.T, w increment) {
		db := pgtest.Newest(t)
		s := deploy(t, db, plan{workers: 4})
		s.gateway.Watch(func(call gateway.Call) gateway.Fault {
			if call.Operation == "SendMessageBatch" {
				return gateway.Triple
			}
			return nil
		})
		s.start(t, w.makeTable(t, db)).completes(t)
		s.log.Await(t, patience, `"verdict":"leased"`)
	})
}
