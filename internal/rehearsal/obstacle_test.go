package rehearsal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/review"
)

// TestWhatStandsInTheWay: a run that holds the table; rows that do not allow the change, with their keys and without their values.
func TestWhatStandsInTheWay(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, users)
		found := b.rehearse(t, "name: a\ntable: users\nset: {n: 1 / (n - 5000)}\n", 8)
		if !tells(found.InTheWay, `a row within "id" > 12000 AND "id" <= 18000 does not allow the change: SQLSTATE 22012 (division_by_zero)`) {
			t.Error(found.InTheWay)
		}
		if found.Extent.Looked.All || found.Extent.Looked.Stretches != 9 {
			t.Errorf("%+v", found.Extent.Looked)
		}
		// An assignment raises where a cast cuts, and a column may take no NULL.
		found = b.rehearse(t, "name: a\ntable: users\nset: {short: email, email: NULL}\n", 3)
		for _, row := range found.Sample {
			if row.Error != "column short: the value is longer than character varying(12) takes; column email takes no NULL: the row would fail" {
				t.Errorf("%s", asJSON(t, row))
			}
		}
		must(t, b.book.Migrate(t.Context()))
		_, err := b.book.Open(t.Context(), ledger.Run{Run: "other-1", Backfill: "other", Execution: "arn", Bound: keyset.Point{"5"}, Change: change.Change{
			Kind: change.Set, Table: change.Table{Schema: "public", Name: "users"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}}}})
		must(t, err)
		if found = b.rehearse(t, lower, 0); !tells(found.InTheWay, "run other-1 holds table public.users until it ends") {
			t.Error(found.InTheWay)
		}
	})
}

// TestAnErrorBudgetHasRoom: a row that would be rejected is no obstacle as long as it has, and one of each stretch is more than a budget of less.
func TestAnErrorBudgetHasRoom(t *testing.T) {
	t.Parallel()
	const definition = "name: a\ntable: users\nset: {n: '1 / (n % 7000)'}\nerror_budget: "
	const row = `a row within "id" > 18000 AND "id" <= 24000 does not allow the change: SQLSTATE 22012 (division_by_zero)`
	b := setup(t, pgtest.Newest(t), users)
	found := b.rehearse(t, definition+"50\n", 0)
	if len(found.InTheWay) > 0 || !tells(found.Notes, row+"; it would be rejected: error_budget has room for 50 rows, and how many there are is not known") {
		t.Errorf("in the way %v, notes %v", found.InTheWay, found.Notes)
	}
	found = b.rehearse(t, definition+"1\n", 0)
	if len(found.InTheWay) != 2 || !tells(found.InTheWay, row) || tells(found.Notes, "does not allow") {
		t.Errorf("in the way %v, notes %v", found.InTheWay, found.Notes)
	}
}

// TestARowThatFailsIsFoundInEveryKind that computes values: a copy and a move find it where a set does, in rows that are in scope. What is
// volatile is computed for the sample alone, and that is told.
func TestARowThatFailsIsFoundInEveryKind(t *testing.T) {
	t.Parallel()
	const table = `CREATE TABLE events (id bigint PRIMARY KEY, note text, n int); CREATE TABLE target (id bigint PRIMARY KEY, n int, at uuid);
		INSERT INTO events SELECT g, CASE g % 7 WHEN 0 THEN 'x' ELSE '5' END, 0 FROM generate_series(1, 20000) g; ANALYZE events`
	const row = `a row within "id" <= 2000 does not allow the change: SQLSTATE 22P02`
	const volatile = "expressions were tried on 3 rows only"
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, table)
		for what, want := range map[string][2]bool{
			"set: {n: note::int}\n":                                                                             {true, false},
			"copy: {into: target, columns: {id: id, n: note::int}}\n":                                           {true, false},
			"copy: {into: target, columns: {id: id, n: note::int}, move: true}\n":                               {true, false},
			"copy: {into: target, columns: {id: id, n: note::int}}\nwhere: id % 7 > 0\n":                        {false, false},
			"copy: {into: target, columns: {id: id, n: note::int, at: gen_random_uuid()}}\nwhere: id % 7 > 0\n": {false, true},
			"set: {n: note::int + (random() * 5)::int}\nwhere: id % 7 > 0\n":                                    {false, true},
		} {
			found := b.rehearse(t, "name: a\ntable: events\n"+what, 3)
			if tells(found.InTheWay, row) != want[0] || tells(found.Unknown, volatile) != want[1] {
				t.Errorf("%s: in the way %v, unknown %v", what, found.InTheWay, found.Unknown)
			}
		}
	})
}

// TestAllProblemsComeAtOnce, and nothing is looked at.
func TestAllProblemsComeAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), users)
	_, err := b.Rehearse(t.Context(), review.Subject{Definition: "name: a\ntable: users\nset: {m: 1, n: n +}\nwhere: k > 1\n"}, 8)
	if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "3 problems") {
		t.Error(err)
	}
}

// TestASlowConditionIsGivenUp: each statement has its limit, and the rest is told all the same.
func TestASlowConditionIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), "CREATE TABLE users (id int PRIMARY KEY, n int); INSERT INTO users SELECT g, g FROM generate_series(1, 100) g; ANALYZE users")
	found := b.rehearse(t, "name: a\ntable: users\nset: {n: 1}\nwhere: CASE WHEN id = 55 THEN pg_sleep(60) IS NOT NULL ELSE true END\n", 10)
	if !tells(found.Unknown, "SQLSTATE 57014 (query_canceled)") || found.Extent.Looked.Rows != 90 || len(found.Sample) < 9 {
		t.Errorf("%v, %d shown, %+v", found.Unknown, len(found.Sample), found.Extent.Looked)
	}
}

// TestTheRightToMakeTheSchema is asked for before the first start needs it.
func TestTheRightToMakeTheSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	b := setup(t, db, users)
	conn, err := b.Session.Conn(t.Context())
	must(t, err)
	role := "r" + strings.ReplaceAll(strings.ToLower(t.Name()), "/", "_") + time.Now().Format("150405.000000")[7:]
	db.Exec(t, "CREATE ROLE "+role+"; GRANT SELECT, UPDATE ON users TO "+role)
	t.Cleanup(func() {
		_, _ = b.conn.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
	})
	_, err = conn.Exec(t.Context(), "SET ROLE "+role)
	must(t, err)
	if found := b.rehearse(t, lower, 2); !tells(found.InTheWay, "may not make the schema backfill") || len(found.Sample) != 2 {
		t.Errorf("%v", found.InTheWay)
	}
	_, _ = conn.Exec(t.Context(), "RESET ROLE")
}
