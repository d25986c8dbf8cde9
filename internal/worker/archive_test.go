package worker_test

import (
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// filed is the deletion of counters, with an archive.
var filed = change.Change{
	Kind: change.Archived, Table: counters.Table, Key: counters.Key, Where: deleted.Where, Undo: true, ChunkRows: rows, Row: deleted.Row,
	Archive: &change.Archive{Table: change.Table{Schema: "public", Name: "filed"}, Row: append([]change.Column{{Name: "id", Type: "bigint", Base: "bigint"}}, deleted.Row...)},
}

const filing = "CREATE TABLE filed (LIKE counters, at timestamptz DEFAULT now()); ALTER TABLE filed ADD PRIMARY KEY (id)"

// TestRowsThatTheArchiveDoesNotTakeAreRejected: the others are archived, a retry archives them when there is room, and the rollback
// moves all of them back.
func TestRowsThatTheArchiveDoesNotTakeAreRejected(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		c := filed
		c.ErrorBudget = 2
		b := setup(t, db, c)
		b.exec(t, "INSERT INTO filed VALUES (700, -1), (1500, -1)")
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		var left, named, there int64
		must(t, b.conn.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE id IN (700, 1500) AND EXISTS (SELECT FROM backfill.rejects
			WHERE key = ARRAY[id::text] AND sqlstate = '23505')), (SELECT count(*) FROM filed WHERE n = id) FROM counters`).Scan(&left, &named, &there))
		if left != 2 || named != 2 || there != rows-2 {
			t.Fatalf("%d rows are left, %d of them named, %d archived", left, named, there)
		}
		b.exec(t, "DELETE FROM filed WHERE n = -1")
		b.retry(t, db.URL, "arn:2")
		b.expectOnce(t)
		b.expectFiled(t, rows)
		b.reverse(t)
		for _, message := range b.due(t) {
			must(t, b.worker(t, db.URL).Work(t.Context(), message))
		}
		b.expectAsBefore(t)
		b.expectFiled(t, 0)
	})
}

// cut cuts the connection at the nth message of a kind.
func cut(proxy *pgtest.Proxy, fromServer bool, kind byte, n int64) {
	var seen atomic.Int64
	proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && seen.Add(1) == n })
}

func (b *bundle) expectFiled(t *testing.T, want int64) {
	t.Helper()
	var there int64
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM filed").Scan(&there))
	if there != want {
		t.Fatalf("%d rows are in the archive, want %d", there, want)
	}
}

// TestEveryLostAnswerOfAnArchiveIsFound, on the way there and back: each row is in one of both tables, once.
func TestEveryLostAnswerOfAnArchiveIsFound(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db, filed)
	proxy := pgtest.NewProxy(t, db)
	for n := int64(2); n < 40; n += 4 {
		for kind, fromServer := range map[byte]bool{pgtest.Sync: false, pgtest.ReadyForQuery: true} {
			b.exec(t, "TRUNCATE counters, filed, backfill.runs, backfill.ledger, backfill.undo, backfill.conflicts")
			b.exec(t, "INSERT INTO counters SELECT g, g, g::text FROM generate_series(1, 4000) g")
			_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: filed, Bound: b.chunk.Range.Hi})
			must(t, err)
			cut(proxy, fromServer, kind, n)
			must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(1)))
			b.expectOnce(t)
			b.expectFiled(t, rows)
			b.reverse(t)
			cut(proxy, fromServer, kind, n)
			for _, message := range b.due(t) {
				must(t, b.worker(t, proxy.URL).Work(t.Context(), message))
			}
			b.expectAsBefore(t)
			b.expectFiled(t, 0)
		}
	}
}
