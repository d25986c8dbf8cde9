package privilege_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	_ "backfill/internal/backfills" // with its Go functions
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// shop is hardened: PUBLIC may not connect.
const shop = `CREATE SCHEMA shop; CREATE SCHEMA old;
CREATE TABLE shop.customers (id int PRIMARY KEY, country text);
CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer int, email text, total numeric, total_cents bigint, country text, email_hash bytea);
CREATE TABLE old.orders (id bigint PRIMARY KEY, customer int, email text, total numeric, total_cents bigint, country text, email_hash bytea, place serial);
INSERT INTO shop.customers SELECT g, 'de' FROM generate_series(1, 10) g;
INSERT INTO shop.orders SELECT g, 1 + g % 10, 'a' || g || '@example.org', g / 100.0 FROM generate_series(1, 250) g;
INSERT INTO old.orders (id, total) VALUES (7, 0); ANALYZE shop.orders;
`

// kinds are the definitions that docs/grants.sql has sections for.
var kinds = map[string]string{
	"set":       "set: {total_cents: round(total * 100)::bigint}",
	"join":      "from: {c: shop.customers}\njoin: c.id = orders.customer\nset: {country: c.country}",
	"transform": "transform: {function: email-hash, reads: [email], writes: [email_hash]}",
	"delete":    "delete: true\nwhere: id > 10",
	"archive":   "delete: true\narchive: old.orders\nwhere: id > 10",
	"copy":      "copy: {into: old.orders}\nwhere: id > 10",
	"update":    "copy: {into: old.orders, columns: {id: id, total: total}, on_conflict: update}",
	"move":      "copy: {into: old.orders, move: true}\nwhere: id > 10",
}

var roles atomic.Int64

// least is a database in which a role has what a section of docs/grants.sql gives it, and no more.
type least struct {
	admin pgtest.Database
	login pgtest.Database // as that role
	role  string
	kind  string
	given []string // the statements
}

func setup(t *testing.T, db pgtest.Database, kind string) *least {
	t.Helper()
	address, err := url.Parse(db.URL)
	must(t, err)
	l := &least{admin: db, kind: kind, role: fmt.Sprintf("least_%d_%d", os.Getpid(), roles.Add(1))}
	db.Exec(t, shop+"REVOKE CONNECT ON DATABASE "+address.Path[1:]+" FROM PUBLIC; CREATE ROLE "+l.role+" LOGIN PASSWORD 'least'")
	t.Cleanup(func() { db.Exec(t, "DROP OWNED BY "+l.role+" CASCADE; DROP ROLE "+l.role) })
	names := strings.NewReplacer("backfill_runner", l.role, "DATABASE shop", "DATABASE "+address.Path[1:])
	sections := sections(t)
	for _, statement := range append(sections["always"], sections[kind]...) {
		l.given = append(l.given, names.Replace(statement))
	}
	db.Exec(t, strings.Join(l.given, ";\n"))
	address.User = url.UserPassword(l.role, "least")
	l.login = pgtest.Database{Major: db.Major, URL: address.String()}
	return l
}

// sections are the statements of docs/grants.sql by the word that their section begins with.
func sections(t *testing.T) map[string][]string {
	t.Helper()
	file, err := os.ReadFile("../../docs/grants.sql")
	must(t, err)
	found := map[string][]string{}
	for _, section := range strings.Split(string(file), "\n\n") {
		word, _, headed := strings.Cut(strings.TrimPrefix(section, "-- "), ":")
		for line := range strings.Lines(section) {
			if !headed && !strings.HasPrefix(line, "--") {
				t.Fatalf("a statement without a section: %s", line)
			}
			if !strings.HasPrefix(line, "--") {
				found[word] = append(found[word], strings.TrimSuffix(strings.TrimSpace(line), ";"))
			}
		}
	}
	return found
}

func (l *least) definition() string {
	return "name: " + l.kind + "\ntable: shop.orders\nchunk_rows: 100\n" + kinds[l.kind] + "\n"
}

// ask carries out a request on the line.
func ask(t *testing.T, line *runtest.Line, request map[string]any) (turn.Turn, error) {
	t.Helper()
	encoded, err := json.Marshal(request)
	must(t, err)
	return line.Try(t, encoded, fmt.Sprintf("%s-%v", runtest.Execution, request["action"]))
}

func expect(t *testing.T, line *runtest.Line, request map[string]any, want run.State) {
	t.Helper()
	if got, err := ask(t, line, request); err != nil || got.State != want {
		t.Fatalf("%v: %+v, %v", request["action"], got, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
