package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/backfills"
	"backfill/internal/catalog"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

func TestEstimate(t *testing.T) {
	t.Parallel()
	const partitioned = "CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); " +
		"CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (5001); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (5001) TO (20000); " +
		"CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (20000) TO (30000)"
	const insert = "INSERT INTO t SELECT g, g FROM generate_series(1, 10000) g"
	cases := map[string]struct {
		ddl        string
		least, top int64
		guessed    bool
	}{
		"empty":                      {"CREATE TABLE t (id int PRIMARY KEY, n int)", 0, 0, false},
		"never analysed":             {"CREATE TABLE t (id int PRIMARY KEY, n int); " + insert, 8_000, 12_000, true},
		"analysed":                   {"CREATE TABLE t (id int PRIMARY KEY, n int); " + insert + "; ANALYZE t", 10_000, 10_000, false},
		"grown since":                {"CREATE TABLE t (id int PRIMARY KEY, n int); " + insert + "; ANALYZE t; INSERT INTO t SELECT g, g FROM generate_series(10001, 20000) g", 19_000, 21_000, false},
		"empty partitions":           {partitioned, 0, 0, false},
		"partitions":                 {partitioned + "; " + insert + "; ANALYZE t", 10_000, 10_000, false},
		"one partition analysed":     {partitioned + "; " + insert + "; ANALYZE t_1", 9_000, 11_000, true},
		"partitioned, no part":       {"CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)", 0, 0, false},
		"analysed when it was empty": {"CREATE TABLE t (id int PRIMARY KEY, n int); ANALYZE t; " + insert, 8_000, 12_000, true},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := connect(t, db)
		d := parse(t, "name: a\ntable: t\nset: {n: n + 1}\n")
		for name, c := range cases {
			db.Exec(t, "DROP TABLE IF EXISTS t; "+c.ddl)
			resolved, err := catalog.Resolve(t.Context(), conn, d, nil)
			if err != nil || resolved.Estimated < c.least || resolved.Estimated > c.top {
				t.Errorf("%s: %d rows, want %d to %d; %v", name, resolved.Estimated, c.least, c.top, err)
			}
			if guessed := strings.Contains(strings.Join(resolved.Notes, "\n"), "never analysed"); guessed != c.guessed {
				t.Errorf("%s: notes are %q", name, resolved.Notes)
			}
		}
	})
}

func TestRights(t *testing.T) {
	t.Parallel()
	cases := []struct{ grant, want string }{
		{"SELECT", "2:8: table: shop.t: role ROLE may not use the schema; GRANT USAGE ON SCHEMA shop TO ROLE"},
		{"GRANT USAGE ON SCHEMA shop TO ROLE", "2:8: table: role ROLE lacks SELECT, UPDATE (a, \"B\") on shop.t; " +
			"GRANT SELECT, UPDATE (a, \"B\") ON shop.t TO ROLE"},
		{"GRANT SELECT, UPDATE (a) ON shop.t TO ROLE", "2:8: table: role ROLE lacks UPDATE (\"B\") on shop.t; GRANT UPDATE (\"B\") ON shop.t TO ROLE"},
		{"GRANT UPDATE (\"B\") ON shop.t TO ROLE", ""},
		{"REVOKE EXECUTE ON FUNCTION shop.f FROM public", "3:10: set.a: permission denied for function f; " +
			"grant the right to the role of the product, or leave the object out"},
		{"ALTER TABLE shop.t ENABLE ROW LEVEL SECURITY", "2:8: table: shop.t: row level security hides rows from role ROLE; " +
			"ALTER ROLE ROLE BYPASSRLS, or run as the table's owner"},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := connect(t, db)
		role := newRole(t, conn)
		db.Exec(t, `CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY, a int, "B" int);
			CREATE FUNCTION shop.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1'`)
		d := parse(t, "name: a\ntable: shop.t\nset: {a: shop.f(a), B: 1}\n")
		for _, c := range cases {
			db.Exec(t, strings.ReplaceAll(c.grant, "TO ROLE", "TO "+role))
			if _, err := conn.Exec(t.Context(), "SET ROLE "+role); err != nil {
				t.Fatal(err)
			}
			_, err := catalog.Resolve(t.Context(), conn, d, nil)
			if got := strings.ReplaceAll(message(err), role, "ROLE"); got != c.want {
				t.Errorf("after %s:\n got %s\nwant %s", c.grant, got, c.want)
			}
		}
	})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// newRole makes a role without rights; roles belong to the server, not to the test's database.
func newRole(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var role string
	if err := conn.QueryRow(t.Context(), "SELECT 'role_' || current_database()").Scan(&role); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE "+role); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), "RESET ROLE; DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Errorf("drop role: %v", err)
		}
	})
	return role
}

func TestABackslashThatHidesQuotesIsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	conn := connect(t, db)
	if _, err := conn.Exec(t.Context(), "SET standard_conforming_strings = off"); err != nil {
		t.Fatal(err)
	}
	_, err := catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: t\nset: {n: 1}\n"), nil)
	if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "standard_conforming_strings") {
		t.Errorf("got %v", err)
	}
}

// TestADatabaseWithoutEncodingIsRefused: nobody knows what its bytes mean, and JSON carries text. Nothing else is said.
func TestADatabaseWithoutEncodingIsRefused(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := connect(t, db.Encoded(t, "SQL_ASCII"))
		_, err := catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: nothing\nset: {n: 1}\n"), nil)
		want := "resolve a on table public.nothing: the database has encoding SQL_ASCII: text that is not ASCII would not survive its way " +
			"through JSON; dump it, and restore it into one with encoding UTF8"
		if message(err) != want || !failure.Is(err, failure.Invalid) {
			t.Errorf("got %v", err)
		}
	})
}

// TestATableThatIsLockedIsNotTheDefinitionsFault: the same request may succeed later.
func TestATableThatIsLockedIsNotTheDefinitionsFault(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	locker, err := db.Connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locker.Rollback(context.Background()) }()
	if _, err := locker.Exec(t.Context(), "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, db)
	_, err = catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: t\nset: {n: 1}\n"), nil)
	var problems definition.Problems
	if !failure.Is(err, failure.Transient) || errors.As(err, &problems) {
		t.Errorf("got %s %v", failure.Of(err), err)
	}
	if status := conn.PgConn().TxStatus(); status != 'I' {
		t.Errorf("the connection is in transaction status %c", status)
	}
}

// TestNotNullThatIsNotValidated: Postgres 18 can promise NOT NULL for new rows only.
func TestNotNullThatIsNotValidated(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, "CREATE TABLE t (id int UNIQUE, n int); INSERT INTO t VALUES (NULL, 1); ALTER TABLE t ADD CONSTRAINT later NOT NULL id NOT VALID")
	_, err := catalog.Resolve(t.Context(), connect(t, db), parse(t, "name: a\ntable: t\nkey: id\nset: {n: 1}\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "may be NULL") {
		t.Errorf("got %v", err)
	}
}

// TestTheExampleWithADateMatchesAPart of the table of `make run`, of which this makes every 1000th row.
func TestTheExampleWithADateMatchesAPart(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, strings.ReplaceAll(read(t, "../../infra/demo/users.sql"), "generate_series(1, :rows)", "generate_series(1000, 1000000, 1000)"))
	var event struct{ Params struct{ Since string } }
	if err := json.Unmarshal([]byte(read(t, "../../events/start-with-params.json")), &event); err != nil {
		t.Fatal(err)
	}
	var part float64
	err := connect(t, db).QueryRow(t.Context(), "SELECT avg((created_at >= $1::text::timestamptz)::int)::float8 FROM users", event.Params.Since).Scan(&part)
	if err != nil || part < 0.1 || part > 0.9 {
		t.Fatalf("%s matches %v of the rows, %v", event.Params.Since, part, err)
	}
}

// TestTheEmbeddedDefinitionsFitTheExample: `make run` makes its table from the same file.
func TestTheEmbeddedDefinitionsFitTheExample(t *testing.T) {
	t.Parallel()
	const rows = 1000
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, strings.ReplaceAll(read(t, "../../infra/demo/users.sql"), ":rows", fmt.Sprint(rows)))
		conn := connect(t, db)
		for _, name := range backfills.Names() {
			d, err := backfills.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			given := map[string]any{}
			for _, param := range d.Params {
				given[param.Name] = map[string]any{"timestamptz": "2022-01-01"}[param.Type]
			}
			params, problems := d.Arguments(given)
			if problems != nil {
				t.Fatal(problems)
			}
			resolved, err := catalog.Resolve(t.Context(), conn, d, params)
			if err != nil || resolved.Change.Volatile || resolved.Estimated != rows || len(resolved.Notes) > 0 {
				t.Errorf("%s: %+v, %v", name, resolved, err)
			}
			prepareUpdate(t, conn, name, resolved.Change)
		}
	})
}

// TestPartitionsOverWhichKeysAreSpread: by hash, or small on average.
func TestPartitionsOverWhichKeysAreSpread(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO t SELECT g, g FROM generate_series(1, %d) g"
	byHash := "CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY HASH (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
	byRange := "CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (6000); CREATE TABLE t_2 PARTITION OF t DEFAULT;"
	cases := map[string]struct {
		ddl  string
		want bool
	}{
		"no partitions":    {"CREATE TABLE t (id int PRIMARY KEY, n int);" + fmt.Sprintf(insert, 100), false},
		"by hash":          {byHash + fmt.Sprintf(insert, 12_000), true},
		"small partitions": {byRange + fmt.Sprintf(insert, 6_000), true},
		"large partitions": {byRange + fmt.Sprintf(insert, 15_000), false},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := connect(t, db)
		d := parse(t, "name: a\ntable: t\nset: {n: n + 1}\n")
		for name, c := range cases {
			db.Exec(t, "DROP TABLE IF EXISTS t; "+c.ddl)
			resolved, err := catalog.Resolve(t.Context(), conn, d, nil)
			if err != nil || resolved.Change.Spread != c.want {
				t.Errorf("%s: spread %v, %v", name, resolved.Change.Spread, err)
			}
		}
	})
}
