package worker_test

import (
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
)

// byID knows the rows of the target by their id, which is unique, and deals with conflicts in that way.
func byID(way change.OnConflict) change.Change {
	c, to := copied, *copied.Copy
	to.Key, to.OnConflict = []keyset.Column{{Name: "id", Type: "bigint"}}, way
	c.Copy, c.Volatile = &to, false
	return c
}

// taken are rows of the target that were there before: one in a hundred, of other values.
const taken = `ALTER TABLE copied ALTER id SET NOT NULL, ADD UNIQUE (id);
	INSERT INTO copied (id, n, note) SELECT id, -n, 'mine' FROM counters WHERE id % 100 = 7`

// TestRowsWhosePlaceIsTakenAreRejected: the others are copied, a retry copies them when there is room, and the rollback takes all of them away.
func TestRowsWhosePlaceIsTakenAreRejected(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		c := byID(change.Fail)
		c.ErrorBudget = rows / 100
		b := setup(t, db, c)
		b.exec(t, taken)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		var others, named, affected int64
		must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM copied JOIN counters USING (id, n, note)), (SELECT count(*) FROM backfill.rejects
			WHERE sqlstate = '23505' AND key[1]::int % 100 = 7), affected FROM backfill.ledger`).Scan(&others, &named, &affected))
		if others != rows-rows/100 || named != rows/100 || affected != others {
			t.Fatalf("%d rows are copied, %d counted, %d named", others, affected, named)
		}
		b.exec(t, "DELETE FROM copied WHERE note = 'mine'")
		b.retriedAndTakenBack(t)
	})
}

// TestRowsWhosePlaceIsTakenAreNotMoved: they are rejected and stay, a retry moves them when there is room, and the rollback moves all of them back.
func TestRowsWhosePlaceIsTakenAreNotMoved(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		c := moved
		c.ErrorBudget = 3
		b := setup(t, db, c)
		b.exec(t, `ALTER TABLE copied ALTER id SET NOT NULL, ADD UNIQUE (id); INSERT INTO copied (id, n, note) SELECT id, -n, 'mine' FROM counters WHERE id IN (7, 2007, 4000)`)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		b.expectNumbers(t, "SELECT count(*) FROM counters WHERE n = id", 3, "SELECT count(*) FROM copied WHERE n = id", rows-3, "SELECT affected FROM backfill.ledger", rows-3,
			"SELECT count(*) FROM backfill.rejects JOIN counters c ON key = ARRAY[c.id::text] WHERE sqlstate = '23505' AND id IN (7, 2007, 4000)", 3)
		b.exec(t, "DELETE FROM copied WHERE note = 'mine'")
		b.retriedAndTakenBack(t)
	})
}

// TestEveryLostAnswerOfARollbackOfACopyIsFound, beside rows that stay, since users have changed them or refer to them: each is as before
// the run or a conflict, once.
func TestEveryLostAnswerOfARollbackOfACopyIsFound(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db, byID(change.Update))
	b.exec(t, taken)
	must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectOnce(t)
	b.reverse(t)
	b.exec(t, `UPDATE copied SET n = 0 WHERE id IN (1, 107, 900); CREATE TABLE referring (id bigint REFERENCES copied (id)); INSERT INTO referring VALUES (1500), (2900)`)
	b.takenBackAtEachCut(t, []string{"copied", "backfill.ledger", "backfill.undo", "referring"}, b.expectTakenBack)
}

func (b *bundle) expectTakenBack(t *testing.T) {
	t.Helper()
	var given, left, named, restored, conflicts int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM copied WHERE note = 'mine' AND n = -id AND id % 100 = 7), (SELECT count(*) FROM copied),
		(SELECT count(*) FROM backfill.conflicts WHERE found_at IS NOT NULL AND (key[1], why LIKE 'SQLSTATE 23503%', holds[1], cardinality(was))
			IN (('1', false, '0', 0), ('107', false, '0', 2), ('900', false, '0', 0), ('1500', true, '1500', 0), ('2900', true, '2900', 0))), restored, conflicts FROM backfill.ledger`).
		Scan(&given, &left, &named, &restored, &conflicts))
	if given != rows/100-1 || left != given+5 || named != 5 || restored != rows-5 || conflicts != 5 {
		t.Fatalf("%d of %d rows that are left have their values again; %d restored; %d conflicts named, %d counted", given, left, restored, named, conflicts)
	}
}

// TestEveryLostAnswerOfARollbackOfAMoveIsFound, beside rows that stay where they were moved to: each is in one of the tables, once.
func TestEveryLostAnswerOfARollbackOfAMoveIsFound(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db, moved)
	must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.expectOnce(t)
	b.reverse(t)
	b.exec(t, `UPDATE copied SET n = 0 WHERE id IN (1, 900); INSERT INTO counters VALUES (1500, -1, 'mine'), (5000, -2, '2900')`)
	b.takenBackAtEachCut(t, []string{"counters", "copied", "backfill.ledger", "backfill.undo"}, b.expectMovedBack)
}

func (b *bundle) expectMovedBack(t *testing.T) {
	t.Helper()
	var back, left, named, restored, conflicts int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM counters WHERE n = id AND note = id::text), (SELECT count(*) FROM copied WHERE id IN (1, 900, 1500, 2900)),
		(SELECT count(*) FROM backfill.conflicts WHERE found_at IS NOT NULL AND was = ARRAY[key[1], key[1], key[1]] AND (key[1], why LIKE 'SQLSTATE 23505%', holds[2])
			IN (('1', false, '0'), ('900', false, '0'), ('1500', true, '1500'), ('2900', true, '2900'))), restored, conflicts
		FROM backfill.ledger WHERE (SELECT count(*) FROM copied) = 4`).Scan(&back, &left, &named, &restored, &conflicts))
	if back != rows-4 || left != 4 || named != 4 || restored != rows-4 || conflicts != 4 {
		t.Fatalf("%d rows are back, %d counted; %d stayed; %d conflicts named, %d counted", back, restored, left, named, conflicts)
	}
}

// TestRowsOfManyForOneRow: a worker halves its batches until they come one after the other, and no row is rejected for it.
func TestRowsOfManyForOneRow(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		c := byID(change.Update)
		c.Copy.Columns = append([]change.Assignment{{Column: "id", Type: "bigint", Base: "bigint", Expression: "CASE WHEN id % 1000 = 7 THEN 7 ELSE id END"}}, c.Copy.Columns[1:]...)
		b := setup(t, db, c)
		b.exec(t, "ALTER TABLE copied ALTER id SET NOT NULL, ADD UNIQUE (id)")
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		var there, last, affected int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM copied), (SELECT n FROM copied WHERE id = 7), affected FROM backfill.ledger WHERE rejected = 0").Scan(&there, &last, &affected))
		if there != rows-3 || last != 3007 || affected != rows {
			t.Fatalf("%d rows are there, %d counted; the last is %d", there, affected, last)
		}
	})
}
