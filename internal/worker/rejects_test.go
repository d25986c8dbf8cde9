package worker_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
)

// kinds are why a row does not allow the change, as its note says, in the order of their numbers.
var kinds = []struct{ note, sqlstate, message string }{
	{"check", "23514", `new row for relation "counters" violates check constraint "still"`},
	{"null", "23502", `null value in column "n" of relation "counters" violates not-null constraint`},
	{"twin", "23505", `duplicate key value violates unique constraint "twins"`},
	{"cast", "22P02", `invalid input syntax for type integer: "cast`},
	{"over", "22003", "integer out of range"},
}

// poisoned is a change that a row of each kind does not allow. The twin of the rows is beyond the bound of the run.
const poisoned = `CASE split_part(note, ' ', 1) WHEN 'null' THEN NULL WHEN 'twin' THEN -5 WHEN 'cast' THEN note::integer
	WHEN 'over' THEN n + 2147483647 ELSE n + 1 END`

const poison = `ALTER TABLE counters ADD CONSTRAINT still CHECK (note NOT LIKE 'check %' OR n = id);
	CREATE UNIQUE INDEX twins ON counters ((CASE WHEN n < 0 THEN n END));
	INSERT INTO counters VALUES (9000, -5, 'the twin')`

// poisonedRun is a run over a table in which every n-th row, from the seventh, does not allow the change.
func poisonedRun(t *testing.T, db pgtest.Database, c change.Change, every int, budget int64) (*bundle, int64) {
	t.Helper()
	b := setup(t, db, c)
	b.exec(t, poison)
	b.exec(t, fmt.Sprintf(`UPDATE counters SET note = (ARRAY['check', 'null', 'twin', 'cast', 'over'])[1 + (id / %[1]d) %% 5] || ' ' || id
		WHERE id %% %[1]d = 7 AND id <= %[2]d`, every, rows))
	b.budgeted(t, c, poisoned, budget)
	var count int64
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE note LIKE '% %' AND id <= $1", rows).Scan(&count))
	return b, count
}

// budgeted begins the run anew, with another expression and an error budget.
func (b *bundle) budgeted(t *testing.T, c change.Change, set string, budget int64) {
	t.Helper()
	c.Set = []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: set}}
	c.ErrorBudget = budget
	b.exec(t, "TRUNCATE backfill.runs, backfill.ledger, backfill.undo, backfill.stripes, backfill.rejects")
	_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: c, Bound: b.chunk.Range.Hi})
	must(t, err)
}

// expectRejects demands that the rows that do not allow the change are as they were, each named once, with its error, and
// every other row is written once.
func (b *bundle) expectRejects(t *testing.T, want int64) {
	t.Helper()
	var wrong, named, counted, affected, scanned int64
	must(t, b.conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE n <> id + CASE WHEN note LIKE '% %' THEN 0 ELSE 1 END) FROM counters WHERE id <= $1`,
		rows).Scan(&wrong))
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM backfill.rejects JOIN counters c ON key = ARRAY[c.id::text] WHERE note LIKE '% %'").Scan(&named))
	must(t, b.conn.QueryRow(t.Context(), "SELECT sum(rejected), sum(affected), sum(scanned) FROM backfill.ledger").Scan(&counted, &affected, &scanned))
	if wrong != 0 || named != want || counted != want || affected != rows-want || scanned != rows {
		t.Fatalf("%d rows wrong; %d rejected, %d counted, want %d; %d written, %d scanned", wrong, named, counted, want, affected, scanned)
	}
	for _, kind := range kinds {
		var other int64
		must(t, b.conn.QueryRow(t.Context(), `SELECT count(*) FROM backfill.rejects JOIN counters c ON key = ARRAY[c.id::text]
			WHERE note LIKE $1 || ' %' AND (sqlstate <> $2 OR NOT starts_with(message, $3))`, kind.note, kind.sqlstate, kind.message).Scan(&other))
		if other != 0 {
			t.Errorf("%d rows of kind %s have another error", other, kind.note)
		}
	}
}

// TestRowsThatDoNotAllowTheChangeAreRejected: 37 rows of five kinds, with and without undo. The rollback gives back what was
// written, and leaves the rows alone.
func TestRowsThatDoNotAllowTheChangeAreRejected(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b, count := poisonedRun(t, db, c, 108, 37)
		for _, undo := range []bool{false, true} {
			c.Undo = undo
			b.exec(t, fmt.Sprintf("UPDATE counters SET n = id WHERE id <= %d", rows))
			b.budgeted(t, c, poisoned, 37)
			must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
			must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
			b.expectLedger(t, chunk.Completed)
			b.expectPasses(t, c.ChunkRows == striped)
			if b.expectRejects(t, 37); count != 37 {
				t.Fatalf("%d rows do not allow the change", count)
			}
		}
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
		must(t, err)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(2)))
		b.expectLedger(t, chunk.RolledBack)
		var wrong, restored, conflicts int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE n <> id AND id <= $1", rows).Scan(&wrong))
		must(t, b.conn.QueryRow(t.Context(), "SELECT restored, conflicts FROM backfill.ledger").Scan(&restored, &conflicts))
		if wrong != 0 || restored != rows-37 || conflicts != 0 {
			t.Fatalf("%d rows are not as before, %d restored, %d conflicts", wrong, restored, conflicts)
		}
	})
}

// TestTheErrorBudgetIsSpent: the chunk fails at the row that is one too many. The reason names it, and no value.
func TestTheErrorBudgetIsSpent(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b, _ := poisonedRun(t, db, c, 108, 10)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		reason := b.expectLedger(t, chunk.Failed)
		shape := regexp.MustCompile(`^pass over a row of chunk 1 of run run-1: SQLSTATE BF005: the error budget is 10 rows, and 10 are rejected; ` +
			`one more: 1 row within ("id" > \d+ AND )?"id" <?= (\d+): SQLSTATE 2\w+ \(\w+\)(, table "counters".*)?$`).FindStringSubmatch(reason)
		if shape == nil || strings.Contains(reason, "cast") {
			t.Fatalf("reason: %s", reason)
		}
		var named, poison int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*), count(*) FILTER (WHERE key = ARRAY[$1]) FROM backfill.rejects", shape[2]).Scan(&named, &poison))
		if named != 10 || poison != 0 {
			t.Fatalf("%d rows rejected", named)
		}
		must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM counters WHERE id = $1 AND n = id AND note LIKE '% %'", shape[2]).Scan(&poison))
		if poison != 1 {
			t.Fatalf("the reason names row %s", shape[2])
		}
	})
}

// TestAPoisonRowCostsFewStatements, wherever in its batch it is. A sequence counts those that were taken back, too.
func TestAPoisonRowCostsFewStatements(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		const keys, most = 500, 18 // 2 log2 500
		b := setup(t, db, counters)
		b.exec(t, fmt.Sprintf("DELETE FROM counters WHERE id > %d", keys))
		b.exec(t, `CREATE SEQUENCE updates; CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('updates'); RETURN NULL; END $$;
			CREATE TRIGGER counted BEFORE UPDATE ON counters FOR EACH STATEMENT EXECUTE FUNCTION counted()`)
		for _, victim := range []int64{1, 249, 250, 251, 333, 499, 500} {
			b.budgeted(t, counters, fmt.Sprintf("n + 1 / (%d - id)::int", victim), 1)
			b.exec(t, "ALTER SEQUENCE updates RESTART")
			must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
			b.expectLedger(t, chunk.Completed)
			var updates, rejected int64
			must(t, b.conn.QueryRow(t.Context(), "SELECT (SELECT last_value FROM updates), rejected FROM backfill.ledger").Scan(&updates, &rejected))
			if updates > most || rejected != 1 {
				t.Errorf("row %d: %d statements, %d rejected", victim, updates, rejected)
			}
		}
	})
}

// TestEveryLostAnswerBesidePoisonIsFound: as TestEveryLostAnswerIsFound, in the middle of searches for rows, too.
func TestEveryLostAnswerBesidePoisonIsFound(t *testing.T) {
	eachWay(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		c.Undo = true
		b, count := poisonedRun(t, db, c, 2000, 2)
		proxy := pgtest.NewProxy(t, db)
		for kind, fromServer := range map[byte]bool{pgtest.Sync: false, pgtest.ReadyForQuery: true} {
			n, all := int64(1), false
			for ; !all; n = pgtest.After(n, 3) {
				b.exec(t, fmt.Sprintf("UPDATE counters SET n = id WHERE id <= %d", rows))
				b.exec(t, "TRUNCATE backfill.ledger, backfill.undo, backfill.stripes, backfill.rejects")
				var seen atomic.Int64
				proxy.CutWhen(func(server bool, k byte) bool { return server == fromServer && k == kind && seen.Add(1) == n })
				must(t, b.worker(t, proxy.URL).Work(t.Context(), b.chunk.Message(1)))
				b.expectLedger(t, chunk.Completed)
				b.expectRejects(t, count)
				all = seen.Load() < n
			}
			if n < 25 || count != 2 {
				t.Fatalf("a chunk has only %d messages of kind %c; %d rows do not allow the change", n, kind, count)
			}
		}
	})
}

// TestTheErrorBudgetIsChangedInTheMiddle of a chunk: where none was allowed some are; one that is lower than what is spent fails the
// chunk at the next row, one that is higher lets it go on.
func TestTheErrorBudgetIsChangedInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		defined int64
		first   int64 // set before the chunk begins; -1: none is
		after   int64 // the number of rejects after which the budget is changed
		then    int64
		reason  string // "": the chunk is done
	}{
		"none is defined":        {0, 37, 40, 0, ""},
		"lower than the defined": {37, 10, 40, 0, "the error budget is 10 rows, and 10 are rejected"},
		"none any more":          {37, 0, 40, 0, "SQLSTATE 2"},
		"lower than the spent":   {37, -1, 8, 2, "the error budget is 2 rows, and "},
		"higher":                 {10, -1, 4, 50, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b, _ := poisonedRun(t, db, counters, 108, c.defined)
				if c.first >= 0 {
					_, err := b.ledger.Tune(t.Context(), theRun, ledger.Tuning{Budget: &c.first})
					must(t, err)
				}
				// It is changed by the very row that is one of so many, as if a person did it then.
				b.exec(t, fmt.Sprintf(`CREATE FUNCTION tuned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
					IF (SELECT count(*) FROM backfill.rejects) >= %d THEN INSERT INTO backfill.shares AS s (run, error_budget) VALUES ('run-1', %d)
						ON CONFLICT (run) DO UPDATE SET error_budget = excluded.error_budget; END IF; RETURN new; END $$;
					CREATE TRIGGER tuned AFTER INSERT ON backfill.rejects FOR EACH ROW EXECUTE FUNCTION tuned()`, c.after, c.then))
				must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
				if c.reason == "" {
					b.expectLedger(t, chunk.Completed)
					b.expectRejects(t, 37)
					return
				}
				if reason := b.expectLedger(t, chunk.Failed); !strings.Contains(reason, c.reason) || c.first == 0 && strings.Contains(reason, "BF005") {
					t.Errorf("%s", reason)
				}
			})
		})
	}
}

// TestRowsThatAreRejectedKeepToTheRate: thirty bad rows and no other, then a retry of them that fails again, then one that writes them. Each
// time thirty are taken out of what the run may do, and no more.
func TestRowsThatAreRejectedKeepToTheRate(t *testing.T) {
	eachWayOnce(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := stretch(t, db, c)
		b.limit(t, 20)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		b.expectTaken(t, 30)
		b.retry(t, db.URL, "arn:2")
		b.expectTaken(t, 30)
		b.exec(t, "UPDATE counters SET note = 'mended-' || id")
		b.retry(t, db.URL, "arn:3")
		b.expectTaken(t, 30)
	})
}

// stretch is a run over thirty rows of which none allows the change. Beside them is a list of what was taken out of the rate.
func stretch(t *testing.T, db pgtest.Database, c change.Change) *bundle {
	t.Helper()
	b := setup(t, db, c)
	b.exec(t, "DELETE FROM counters WHERE id > 30; UPDATE counters SET note = 'cast ' || id")
	b.budgeted(t, c, poisoned, 100)
	b.exec(t, `CREATE TABLE taken (rows float8); CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO taken VALUES (old.own - new.own); RETURN new; END $$;
		CREATE TRIGGER taken AFTER UPDATE OF unit ON backfill.shares FOR EACH ROW EXECUTE FUNCTION taken()`)
	return b
}

// expectTaken demands that the chunk is done, and that so many rows were taken out of the rate, what was given back taken off.
func (b *bundle) expectTaken(t *testing.T, want float64) {
	t.Helper()
	b.expectLedger(t, chunk.Completed)
	var taken float64
	must(t, b.conn.QueryRow(t.Context(), "SELECT coalesce(sum(rows), 0) FROM taken").Scan(&taken))
	if taken != want {
		t.Errorf("%v rows were taken out of the rate, want %v", taken, want)
	}
	b.exec(t, "TRUNCATE taken")
}

// TestASlotThatIsTakenAwayAmongBadRows: another chunk comes first, and the limit of workers is set by the fifth row that is passed over.
func TestASlotThatIsTakenAwayAmongBadRows(t *testing.T) {
	eachWayOnce(t, func(t *testing.T, db pgtest.Database, c change.Change) {
		b := stretch(t, db, c)
		b.exec(t, `CREATE FUNCTION tuned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT count(*) FROM backfill.rejects) = 5 THEN
				INSERT INTO backfill.ledger SELECT (jsonb_populate_record(l, '{"chunk": 0}')).* FROM backfill.ledger l;
				INSERT INTO backfill.shares AS s (run, workers) VALUES ('run-1', 1) ON CONFLICT (run) DO UPDATE SET workers = 1; END IF; RETURN new; END $$;
			CREATE TRIGGER tuned AFTER INSERT ON backfill.rejects FOR EACH ROW EXECUTE FUNCTION tuned()`)
		must(t, b.worker(t, db.URL).Work(t.Context(), b.chunk.Message(1)))
		var state, reason string
		var rejected int64
		must(t, b.conn.QueryRow(t.Context(), "SELECT state, reason, rejected FROM backfill.ledger WHERE chunk = 1").Scan(&state, &reason, &rejected))
		if state != string(chunk.Pending) || !strings.Contains(reason, "at most 1 worker at a time for this run") || rejected != 6 {
			t.Errorf("the chunk is %s (%s), %d rejected", state, reason, rejected)
		}
	})
}
