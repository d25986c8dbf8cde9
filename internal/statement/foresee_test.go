package statement_test

import (
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"
)

// TestAKindThatForeseesNothing counts its rows in scope all the same, and tells no value that nobody has computed.
func TestAKindThatForeseesNothing(t *testing.T) {
	t.Parallel()
	if !statement.Foresees(simple) || !statement.Foresees(purge) {
		t.Error("set and delete tell what becomes of a row")
	}
	c := simple
	c.Kind = change.Kind("another")
	if statement.Foresees(c) {
		t.Error("nobody has told what becomes of a row")
	}
	within := span(keyset.Point{"10"}, keyset.Point{"20"}, 0)
	if sql := statement.Tally(c, within)[0].SQL; !strings.Contains(sql, "THEN true END") || !strings.Contains(sql, "email IS NOT NULL") {
		t.Error(sql)
	}
	if sql := statement.Sample(c, within, 1)[0].SQL; strings.Contains(sql, "lower(") || !strings.Contains(sql, "email_normalized") {
		t.Error(sql)
	}
}

// TestCut tells a value that was cut from one that is just as long as what is shown.
func TestCut(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]bool{0: false, 200: false, 201: true} {
		if shown, cut := statement.Cut(strings.Repeat("é", length)); cut != want || len([]rune(shown)) != min(length, 200) {
			t.Errorf("%d: %d characters, cut %t", length, len([]rune(shown)), cut)
		}
	}
}

// TestATallyLeavesAloneWhatIsOutOfScope: the expression fails on rows of which where is false, and of which it is NULL. AND would look at both sides of the latter.
func TestATallyLeavesAloneWhatIsOutOfScope(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE TABLE users (id bigint PRIMARY KEY, ready boolean, note text, n int);
			INSERT INTO users VALUES (1, true, '7', NULL), (2, true, '8', 8), (3, false, 'x', NULL), (4, NULL, 'y', NULL), (5, true, NULL, NULL)`)
		c := simple
		c.Where = "ready"
		c.Set = []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "note::int"}}
		for _, query := range statement.Tally(c, span(nil, keyset.Point{"5"}, 0)) {
			var rows, scope, written int64
			if err := db.Connect(t).QueryRow(t.Context(), query.SQL, query.Args...).Scan(&rows, &scope, &written); err != nil || rows != 5 || scope != 3 || written != 1 {
				t.Errorf("%d rows, %d in scope, %d to write; %v", rows, scope, written, err)
			}
		}
	})
}

// TestATallyOfManyColumns: a function takes no more than a hundred values.
func TestATallyOfManyColumns(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, `CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users VALUES (1), (2)`)
	c := archived(change.Nothing)
	c.Where, c.Params, c.Copy.Columns = "", nil, nil
	for range 250 {
		c.Copy.Columns = append(c.Copy.Columns, given("n", "bigint", "id"))
	}
	query := statement.Tally(c, span(nil, keyset.Point{"5"}, 0))[0]
	var rows, scope, written int64
	if err := db.Connect(t).QueryRow(t.Context(), query.SQL, query.Args...).Scan(&rows, &scope, &written); err != nil || written != 2 {
		t.Errorf("%d of %d to write; %v", written, rows, err)
	}
}
