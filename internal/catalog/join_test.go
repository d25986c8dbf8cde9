package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

const shop = `CREATE SCHEMA shop; CREATE TABLE shop.customers (id int PRIMARY KEY, name text, country text, active bool);
	CREATE TABLE t (id int PRIMARY KEY, customer int, customer_name varchar(20), country text);
	CREATE TABLE parts (id int, at date, name text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE TABLE parts_1 PARTITION OF parts DEFAULT;
	CREATE VIEW seen AS SELECT * FROM shop.customers; CREATE MATERIALIZED VIEW mat AS SELECT id, name FROM shop.customers; CREATE UNIQUE INDEX ON mat (id);`

const uncertain = "no unique index says for certain that join finds at most one row: a row that belongs to several fails (SQLSTATE 21000)"

// joins are definitions that join tables to t: what is wrong with each, or what a person is told of it.
var joins = map[string]struct {
	source, want string
	notes        []string
}{
	"a primary key":         {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: c.name}\n", "", nil},
	"names of one table":    {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: name}\nwhere: active\n", "", nil},
	"a materialized view":   {"from: {m: mat}\njoin: m.id = customer\nset: {customer_name: m.name}\n", "", nil},
	"a part of a key":       {"from: {p: parts}\njoin: p.id = customer\nset: {customer_name: p.name}\n", "", []string{uncertain}},
	"no index":              {"from: {c: shop.customers}\njoin: c.name = customer_name\nset: {country: c.country}\n", "", []string{uncertain}},
	"the table itself":      {"from: {u: t}\njoin: u.id = t.customer\nset: {customer_name: u.customer_name}\n", "", []string{"u is the table itself: its rows are read as the batches before have left them"}},
	"a volatile expression": {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: c.name || random()}\n", "", []string{"set.customer_name is volatile: every row in scope is written, as none can be known to hold its value already; a function that always gives the same result should be declared IMMUTABLE"}},
	"an ambiguous name":     {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: country}\nwhere: id > 7\n", "2 problems:\n5:22: set.customer_name: column reference \"country\" is ambiguous; write it with the name of its table: t.country, or c.country\n6:8: where: column reference \"id\" is ambiguous; write it with the name of its table: t.id, or c.id", nil},
	"an unknown column":     {"from: {c: shop.customers}\njoin: c.ident = customer\nset: {customer_name: c.nam}\n", "2 problems:\n4:7: join: column c.ident does not exist", nil},
	"unknown in one table":  {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: c.xxxxxx}\n", "set.customer_name: column c.xxxxxx does not exist; known are active, country, id, name", nil},
	"unknown in all tables": {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: xxxxxx}\n", "set.customer_name: column \"xxxxxx\" does not exist; known are active, country, customer, customer_name, id, name", nil},
	"an unknown alias":      {"from: {c: shop.customers}\njoin: d.id = customer\nset: {customer_name: c.name}\n", "4:7: join: missing FROM-clause entry for table \"d\"", nil},
	"an aggregate":          {"from: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: max(c.name)}\n", "5:22: set.customer_name: aggregate functions are not allowed in UPDATE; an aggregate needs a subselect of its own: (SELECT max(x) FROM ...)", nil},
	"another type":          {"from: {c: shop.customers}\njoin: c.id\nset: {customer_name: c.active + 1}\n", "2 problems:\n4:7: join: argument of WHERE must be type boolean, not type integer", nil},
	"a volatile join":       {"from: {c: shop.customers}\njoin: c.id = customer * random()\nset: {customer_name: c.name}\n", "4:7: join: it is volatile: which row is found would be a matter of chance", nil},
	"no such table":         {"from: {c: shop.customer}\njoin: c.id = customer\nset: {customer_name: c.name, id: 7, nix: 1 +}\n", "from.c: shop.customer does not exist; did you mean shop.customers?", nil},
	"a view":                {"from: {c: seen}\njoin: c.id = customer\nset: {customer_name: c.name}\n", "3:11: from.c: public.seen: it is a view, and only tables are joined; name the tables that hold the rows", nil},
	"our own":               {"from: {c: backfill.runs}\njoin: c.run = customer_name\nset: {customer_name: c.run}\n", "the schema backfill holds the product's own tables", nil},
}

func TestJoins(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, shop+"CREATE SCHEMA backfill; CREATE TABLE backfill.runs (run text); ANALYZE")
		conn := connect(t, db)
		for name, c := range joins {
			resolved, err := catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: t\n"+c.source), nil)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
				continue
			}
			if diff := cmp.Diff(c.notes, resolved.Notes); c.want == "" && diff != "" {
				t.Errorf("%s: notes (-want +got):\n%s", name, diff)
			}
			if c.want == "" {
				prepareUpdate(t, conn, name, resolved.Change)
			}
		}
	})
}

func TestWhatAJoinIs(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, shop)
	d := parse(t, "name: a\ntable: t\nfrom: {c: shop.customers, p: parts}\njoin: c.id = customer AND p.id = c.id AND p.at = @at\nunmatched: set\nset: {customer_name: p.name}\nparams: {at: {type: date, default: 2024-01-01}}\n")
	resolved, err := catalog.Resolve(t.Context(), connect(t, db), d, arguments(t, d))
	if err != nil {
		t.Fatal(err)
	}
	want := change.Change{Kind: change.Joined, Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "integer"}}, Undo: true, ChunkRows: 100_000,
		Set: []change.Assignment{{Column: "customer_name", Type: "character varying(20)", Base: "character varying", Expression: "p.name"}}, Params: arguments(t, d),
		Join: &change.Join{From: []change.Source{{Alias: "c", Table: change.Table{Schema: "shop", Name: "customers"}}, {Alias: "p", Table: change.Table{Schema: "public", Name: "parts"}}},
			On: "c.id = customer AND p.id = c.id AND p.at = @at", Unmatched: true},
		Verify: &change.Verify{Unfit: change.Joined.Unjudged()}}
	if diff := cmp.Diff(want, resolved.Change); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRightsOfAJoin(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		role := "joins_" + strings.ReplaceAll(databaseName(t, db), "test_", "")
		db.Exec(t, fmt.Sprintf("%s; CREATE ROLE %s; GRANT SELECT, UPDATE ON t TO %[2]s", shop, role))
		t.Cleanup(func() { db.Exec(t, fmt.Sprintf("DROP OWNED BY %s; DROP ROLE %[1]s", role)) })
		conn := connect(t, db)
		if _, err := conn.Exec(t.Context(), "SET ROLE "+role); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ grant, want string }{
			{"SELECT", fmt.Sprintf("3:11: from.c: shop.customers: role %s may not use the schema; GRANT USAGE ON SCHEMA shop TO %[1]s", role)},
			{"GRANT USAGE ON SCHEMA shop TO " + role, fmt.Sprintf("3:11: from.c: shop.customers: role %s lacks SELECT; GRANT SELECT ON shop.customers TO %[1]s", role)},
			{"GRANT SELECT (id, country) ON shop.customers TO " + role, "permission denied for table customers"},
			{"GRANT SELECT (name) ON shop.customers TO " + role, ""}, // a join needs the right on what it reads, and none to lock
			{"ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY", "from.c: shop.customers: row level security hides rows"},
		} {
			db.Exec(t, c.grant)
			_, err := catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: t\nfrom: {c: shop.customers}\njoin: c.id = customer\nset: {customer_name: c.name}\n"), nil)
			if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("%s: got %v, want %s", c.grant, err, c.want)
			}
		}
	})
}
