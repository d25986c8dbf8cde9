package worker_test

import (
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/pgtest"
)

// referring are rows that refer to every hundredth of the counters.
const referring = `CREATE TABLE referring (id bigint PRIMARY KEY REFERENCES counters); INSERT INTO referring SELECT id FROM counters WHERE id % 100 = 7`

// TestRowsThatAreReferredToAreRejected: the others are deleted, a retry deletes them when nothing refers to them any more,
// and the rollback puts all of them back.
func TestRowsThatAreReferredToAreRejected(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		c := deleted
		c.ErrorBudget = rows / 100
		b := setup(t, db, c)
		b.exec(t, referring)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectLedger(t, chunk.Completed)
		var left, named, affected int64
		must(t, b.conn.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE id % 100 = 7 AND EXISTS (SELECT FROM backfill.rejects
			WHERE key = ARRAY[id::text] AND sqlstate = '23503')), (SELECT affected FROM backfill.ledger) FROM counters`).Scan(&left, &named, &affected))
		if left != rows/100 || named != left || affected != rows-left {
			t.Fatalf("%d rows are left, %d of them named, %d deleted", left, named, affected)
		}
		b.exec(t, "DELETE FROM referring")
		b.retriedAndTakenBack(t)
	})
}

// TestEveryLostAnswerOfARollbackOfADeletionIsFound, beside rows that cannot be put back: each is back or a conflict, once.
func TestEveryLostAnswerOfARollbackOfADeletionIsFound(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db, deleted)
	must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
	b.reverse(t)
	b.exec(t, `INSERT INTO counters VALUES (700, -1, 'mine'), (5000, -2, '3100');
			CREATE TABLE parents AS SELECT g AS id FROM generate_series(-2, 4000) g WHERE g NOT IN (1500, 2900); ALTER TABLE parents ADD PRIMARY KEY (id);
			ALTER TABLE counters ADD FOREIGN KEY (n) REFERENCES parents`)
	b.takenBackAtEachCut(t, []string{"counters", "backfill.ledger", "backfill.undo"}, b.expectConflicts)
}

func (b *bundle) expectConflicts(t *testing.T) {
	t.Helper()
	var back, named, restored, conflicts int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM counters WHERE n = id AND note = id::text AND id NOT IN (700, 1500, 2900, 3100)),
		(SELECT count(*) FROM backfill.conflicts WHERE found_at IS NOT NULL AND was = ARRAY[key[1], key[1]] AND (key[1], why LIKE 'SQLSTATE 23503%', holds IS NULL)
			IN (('700', false, false), ('1500', true, true), ('2900', true, true), ('3100', false, true))), restored, conflicts FROM backfill.ledger`).
		Scan(&back, &named, &restored, &conflicts))
	if back != rows-4 || named != 4 || restored != rows-4 || conflicts != 4 {
		t.Fatalf("%d rows are back, %d counted; %d conflicts named, %d counted", back, restored, named, conflicts)
	}
}

// TestAConstraintThatWasAddedFailsTheRollback of a deletion, whether one row breaks it or each: no undo is used up by it, and once it is
// dropped a resume puts every row back.
func TestAConstraintThatWasAddedFailsTheRollback(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ add, drop, sqlstate string }{
		"a check":            {"ALTER TABLE counters ADD CONSTRAINT later CHECK (n < 0) NOT VALID", "ALTER TABLE counters DROP CONSTRAINT later", "SQLSTATE 23514"},
		"a check of one row": {"ALTER TABLE counters ADD CONSTRAINT later CHECK (n <> 1500)", "ALTER TABLE counters DROP CONSTRAINT later", "SQLSTATE 23514"},
		"NOT NULL":           {"ALTER TABLE counters ADD more text NOT NULL", "ALTER TABLE counters DROP more", "SQLSTATE 23502"},
		"a trigger": {`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '22000'; END $$;
			CREATE TRIGGER refuse BEFORE INSERT ON counters FOR EACH ROW EXECUTE FUNCTION refuse()`, "DROP TRIGGER refuse ON counters", "SQLSTATE 22000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := setup(t, db, deleted)
				must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
				b.reverse(t)
				b.exec(t, c.add)
				must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
				if reason := b.expectLedger(t, chunk.Failed); !strings.Contains(reason, `1 row within "id" = `) || !strings.Contains(reason, c.sqlstate) {
					t.Errorf("reason: %s", reason)
				}
				b.expectUndo(t)
				b.exec(t, "UPDATE backfill.runs SET state = 'FAILED', ended_at = clock_timestamp()")
				b.exec(t, c.drop)
				_, err := b.ledger.Revive(t.Context(), theRun, "arn:resume")
				must(t, err)
				for _, message := range b.due(t) {
					must(t, b.worker(t, db.URL).Work(t.Context(), message))
				}
				b.expectAsBefore(t)
			})
		})
	}
}

// expectUndo demands that each row that is not back is kept, and that none is a conflict.
func (b *bundle) expectUndo(t *testing.T) {
	t.Helper()
	var back, kept, restored, conflicts int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM counters), (SELECT coalesce(sum(rows - done), 0) FROM backfill.undo), restored,
		conflicts + (SELECT count(*) FROM backfill.conflicts) FROM backfill.ledger`).Scan(&back, &kept, &restored, &conflicts))
	if back+kept != rows || restored != back || conflicts != 0 {
		t.Fatalf("%d rows are back, %d counted, %d kept, of %d; %d conflicts", back, restored, kept, rows, conflicts)
	}
}

// TestAKindThatIsNotKnownWaitsForAnotherWorker: a newer version began the run. Nothing is done to the table, and the chunk is
// given back with the reason.
func TestAKindThatIsNotKnownWaitsForAnotherWorker(t *testing.T) {
	c := counters
	c.Kind = "merge"
	b := setup(t, pgtest.Newest(t), c)
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(1)))
	if reason := b.expectLedger(t, chunk.Pending); !strings.Contains(reason, `knows no changes of kind "merge"`) {
		t.Fatalf("reason: %s", reason)
	}
	var changed int64
	if must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE n <> id").Scan(&changed)); changed != 0 {
		t.Fatalf("%d rows were changed", changed)
	}
	b.exec(t, "UPDATE backfill.runs SET change = replace(change::text, 'merge', 'set')::json; UPDATE backfill.ledger SET not_before = NULL")
	b.kind = change.Set
	must(t, b.worker(t, b.db.URL).Work(t.Context(), b.chunk.Message(2)))
	b.expectOnce(t)
}
