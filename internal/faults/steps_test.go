package faults

import (
	"testing"

	"backfill/internal/pgtest"
)

func TestWithoutFaults(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		w := increment{rows: 6000, chunkRows: 1500}.makeTable(t, db)
		deploy(t, db, plan{workers: 2}).start(t, w).completes(t, w)
	})
}
