package review_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/request"
	"backfill/internal/review"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

var update = flag.Bool("update", false, "write the golden files")

// TestBadRequestsAreRefusedBeforeAnyEffect: each file of testdata/bad, and what is too large to be a file, as the planner gets it.
// NAME.yaml is a definition, with the rest of the request in NAME.json; a NAME.json alone is a whole request; NAME.txt is the answer.
// The database is as it was after each.
func TestBadRequestsAreRefusedBeforeAnyEffect(t *testing.T) {
	t.Parallel()
	cases := badRequests(t)
	if len(cases) < 60 {
		t.Fatalf("there are only %d", len(cases))
	}
	unread, err := filepath.Glob("../definition/testdata/bad/*.yaml") // their answers stand beside them, there
	if err != nil || len(unread) < 40 {
		t.Fatalf("%d files, %v", len(unread), err)
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := victim(t, db)
		for _, file := range unread {
			if err := b.ask(t, asked(t, content(t, file), "")); !failure.Is(err, failure.Invalid) {
				t.Errorf("%s: %v (%s)", file, err, failure.Of(err))
			}
			b.unchanged(t, file)
		}
		for name, input := range cases {
			err := b.ask(t, input)
			if !failure.Is(err, failure.Invalid) {
				t.Errorf("%s: %v (%s)", name, err, failure.Of(err))
				continue
			}
			golden(t, name, strings.ReplaceAll(err.Error(), b.role, "ROLE")+"\n")
			b.unchanged(t, name)
		}
	})
}

// TestStringsThatLookLikeSQLDoNothing: where a text may be anything, it is only a text.
func TestStringsThatLookLikeSQLDoNothing(t *testing.T) {
	t.Parallel()
	const sql = `x'); DROP TABLE canary; --`
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := victim(t, db)
		text := "name: fine\nowner: \"" + sql + "\"\ndescription: \"" + sql + "\"\ntable: shop.orders\n" +
			"set:\n  note: \"'x''); DROP TABLE canary; --' || @note\"\n  state: shop.harm()\nwhere: note <> '; DROP TABLE canary'\n" +
			"params: {note: {type: text, description: \"" + sql + "\"}}\n"
		input, err := json.Marshal(map[string]any{"action": "start", "definition": text, "run": "r", "params": map[string]string{"note": sql}})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.ask(t, string(input)); err != nil {
			t.Error(err)
		}
		b.unchanged(t, "a good definition")
	})
}

// badRequests are the inputs of executions, by name.
func badRequests(t *testing.T) map[string]string {
	t.Helper()
	cases := map[string]string{}
	files, err := filepath.Glob("testdata/bad/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		cases[strings.TrimSuffix(filepath.Base(file), ".json")] = content(t, file)
	}
	files, err = filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		cases[name] = asked(t, content(t, file), cases[name])
	}
	for name, text := range large() {
		cases[name] = asked(t, text, "")
	}
	return cases
}

// asked is a start with a definition. JSON has U+FFFD for what is no UTF-8.
func asked(t *testing.T, definition, rest string) string {
	t.Helper()
	fields := map[string]any{}
	if rest != "" {
		if err := json.Unmarshal([]byte(rest), &fields); err != nil {
			t.Fatal(err)
		}
	}
	fields["action"], fields["run"], fields["definition"] = "start", "r", definition
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// large are definitions that are made to exhaust somebody.
func large() map[string]string {
	const head = "name: orders-cents\ntable: shop.orders\n"
	var columns strings.Builder
	for n := range 2000 {
		fmt.Fprintf(&columns, "  c%d: note\n", n)
	}
	return map[string]string{
		"large-file":            head + "set: {note: lower(note)}\n# " + strings.Repeat("x", 64<<10) + "\n",
		"large-lists-in-lists":  head + "key: " + strings.Repeat("[", 30_000) + "\n",
		"large-dashes":          head + "key:\n  " + strings.Repeat("- ", 20_000) + "\n",
		"large-maps-in-maps":    head + "set: " + strings.Repeat("{a: ", 10_000) + "\n",
		"large-indentation":     head + "set:\n" + indented(300),
		"large-parentheses":     head + "set:\n  note: " + strings.Repeat("(", 20_000) + "note" + strings.Repeat(")", 20_000) + "\n",
		"large-expression":      head + "set:\n  total_cents: " + strings.Repeat("1 + ", 15_000) + "1\n",
		"large-comments":        head + "set:\n  note: |\n    " + strings.Repeat("/*", 30_000) + "\n",
		"large-columns":         head + "set:\n" + columns.String(),
		"large-one-word":        head + "set:\n  note: " + strings.Repeat("x", 60_000) + "\n",
		"large-parameter-value": head + "set:\n  total_cents: '@n'\nparams: {n: {type: numeric, default: 1e999999999}}\n",
	}
}

func indented(depth int) string {
	var text strings.Builder
	for n := range depth {
		text.WriteString(strings.Repeat(" ", n+1) + "a:\n")
	}
	return text.String()
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata/bad", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(content(t, file), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// bundle is a database with everything in it that is unfit, and a reviewer with a role that may do little.
type bundle struct {
	review.Reviewer
	role, before string
	look         *pgx.Conn // beside the reviewer's
}

func victim(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), db.URL, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	b := &bundle{Reviewer: review.Reviewer{Session: session{conn}, Inline: true}, look: db.Connect(t)}
	if err := b.look.QueryRow(t.Context(), "SELECT 'role_' || current_database()").Scan(&b.role); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "CREATE ROLE "+b.role)
	t.Cleanup(func() {
		_ = conn.Close(context.Background())
		if _, err := b.look.Exec(context.Background(), "DROP OWNED BY "+b.role+"; DROP ROLE "+b.role); err != nil {
			t.Errorf("drop role: %v", err)
		}
	})
	db.Exec(t, strings.ReplaceAll(content(t, "testdata/bad/schema.sql"), "TO ROLE", "TO "+b.role))
	if _, err := conn.Exec(t.Context(), "SET ROLE "+b.role); err != nil {
		t.Fatal(err)
	}
	b.before = b.state(t)
	return b
}

// ask judges a request as the planner does before it stores anything.
func (b *bundle) ask(t *testing.T, input string) error {
	t.Helper()
	asked, err := request.Parse([]byte(input), "execution")
	if err != nil {
		return err
	}
	_, err = b.Review(t.Context(), review.Subject{Backfill: asked.Backfill, Definition: asked.Definition, Params: asked.Params})
	return err
}

// state is all that could have been changed: relations, functions, rights, and every row.
func (b *bundle) state(t *testing.T) (state string) {
	t.Helper()
	err := b.look.QueryRow(t.Context(), `SELECT concat_ws(E'\n',
		(SELECT string_agg(concat_ws(' ', c.oid, c.relname, c.relkind, c.relnatts, c.relfilenode, c.relacl), ' ' ORDER BY c.oid)
			FROM pg_class c WHERE c.oid >= 16384),
		(SELECT string_agg(concat_ws(' ', oid, proname), ' ' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
		(SELECT string_agg(concat_ws(' ', oid, nspname), ' ' ORDER BY oid) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'),
		(SELECT string_agg(concat_ws(' ', t.xmin, t.ctid, t::text), ' ' ORDER BY id) FROM canary t),
		(SELECT md5(string_agg(concat_ws(' ', t.xmin, t.ctid, t::text), ' ' ORDER BY tenant_id, id)) FROM shop.orders t),
		(SELECT md5(string_agg(concat_ws(' ', t.xmin, t.ctid, t::text), ' ' ORDER BY id)) FROM users t))`).Scan(&state)
	if err != nil {
		t.Fatalf("look at what is left: %v", err)
	}
	return state
}

func (b *bundle) unchanged(t *testing.T, after string) {
	t.Helper()
	if diff := cmp.Diff(b.before, b.state(t)); diff != "" {
		t.Fatalf("%s has changed the database: %s", after, diff)
	}
}
