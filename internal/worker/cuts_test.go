package worker_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/pgtest"
)

// keep keeps what tables hold now, and gives the SQL by which they hold that again, and no dead rows: with those each time would take longer
// than the one before.
func (b *bundle) keep(t *testing.T, tables ...string) (again string) {
	t.Helper()
	again = "TRUNCATE backfill.conflicts, " + strings.Join(tables, ", ")
	for _, table := range tables {
		b.exec(t, `CREATE TABLE "kept `+table+`" AS TABLE `+table)
		again += "; INSERT INTO " + table + ` OVERRIDING SYSTEM VALUE TABLE "kept ` + table + `"`
	}
	return again
}

// takenBackAtEachCut has a worker take the chunk back as often as its connection can be cut: at a message that ends a transaction, and at the
// answer to one. Before each time the tables get what they hold now.
func (b *bundle) takenBackAtEachCut(t *testing.T, tables []string, expect func(*testing.T)) {
	t.Helper()
	again := b.keep(t, tables...)
	proxy := pgtest.NewProxy(t, b.db)
	for kind, fromServer := range map[byte]bool{pgtest.Sync: false, pgtest.ReadyForQuery: true} {
		n, all := int64(1), false
		for ; !all; n = pgtest.After(n, 1) {
			b.db.Exec(t, again)
			var seen atomic.Int64
			proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && seen.Add(1) == n })
			must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(2)))
			b.expectLedger(t, chunk.RolledBack)
			expect(t)
			all = seen.Load() < n
		}
		if n < 25 {
			t.Fatalf("a rollback has only %d messages of kind %c", n, kind)
		}
	}
}

// retriedAndTakenBack: what was rejected is tried again where it has room now, and is done; then the run is taken back as a whole.
func (b *bundle) retriedAndTakenBack(t *testing.T) {
	t.Helper()
	b.retry(t, b.db.URL, "arn:2")
	b.expectOnce(t)
	b.reverse(t)
	for _, message := range b.due(t) {
		must(t, b.worker(t, b.db.URL).Work(t.Context(), message))
	}
	b.expectAsBefore(t)
}
