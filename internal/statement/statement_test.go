package statement_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// tables are what the golden statements are prepared on.
const tables = `
CREATE TABLE public.users (id bigint PRIMARY KEY, email text, email_normalized text, plan varchar(20), seen timestamptz);
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."Order ""Items""" ("tenant Id" uuid, created_at timestamptz, "ID" bigint, n int, note jsonb,
	PRIMARY KEY ("tenant Id", created_at, "ID"));
CREATE TABLE public.bare (id bigint PRIMARY KEY);`

var simple = change.Change{
	Kind: change.Set, Table: change.Table{Schema: "public", Name: "users"},
	Key:   []keyset.Column{{Name: "id", Type: "bigint"}},
	Set:   []change.Assignment{{Column: "email_normalized", Type: "text", Base: "text", Expression: "lower(btrim(email))"}},
	Where: "email IS NOT NULL", ChunkRows: 1000,
}

var parameters = change.Change{
	Kind: change.Set, Table: simple.Table, Key: simple.Key,
	Set: []change.Assignment{
		{Column: "plan", Type: "character varying(20)", Base: "character varying", Expression: "CASE WHEN seen < @since THEN @plan ELSE plan END"},
		{Column: "email", Type: "text", Base: "text", Expression: "'@since' || email"},
	},
	Where:  "seen >= @since - interval '1 day'",
	Params: []change.Param{{Name: "since", Type: "timestamptz", Value: "2024-01-01"}, {Name: "plan", Type: "text", Value: "old"}},
}

var volatile = change.Change{
	Kind: change.Set, Table: simple.Table, Key: simple.Key, Volatile: true,
	Set: []change.Assignment{{Column: "email", Type: "text", Base: "text", Expression: "gen_random_uuid()::text"}},
}

var composite = change.Change{
	Kind: change.Set, Table: change.Table{Schema: "Sales Dept", Name: `Order "Items"`},
	Key: []keyset.Column{
		{Name: "tenant Id", Type: "uuid"}, {Name: "created_at", Type: "timestamp with time zone"}, {Name: "ID", Type: "bigint"},
	},
	Set: []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}, ChunkRows: 1000,
}

var (
	purge = change.Change{
		Kind: change.Delete, Table: simple.Table, Key: simple.Key, Where: "seen < now() - @age",
		Params: []change.Param{{Name: "age", Type: "interval", Value: "90 days"}},
		Row: []change.Column{{Name: "email", Type: "text", Base: "text"}, {Name: "email_normalized", Type: "text", Base: "text"},
			{Name: "plan", Type: "character varying(20)", Base: "character varying"}, {Name: "seen", Type: "timestamp with time zone", Base: "timestamp with time zone"}},
	}
	purgeItems = change.Change{
		Kind: change.Delete, Table: composite.Table, Key: composite.Key, Where: "n < 0", Deferrable: true,
		Row: []change.Column{{Name: "n", Type: "integer", Base: "integer"}, {Name: "note", Type: "jsonb", Base: "jsonb"}},
	}
	// bare is of a table that has no column beside its key.
	bare = change.Change{Kind: change.Delete, Table: change.Table{Schema: "public", Name: "bare"}, Key: simple.Key, Where: "id > 7"}
)

const tenant, other = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"

func span(lo, hi keyset.Point, common int) statement.Span {
	return statement.Span{Range: keyset.Range{Lo: lo, Hi: hi}, Common: common}
}

var piece = statement.Piece{Place: statement.Place{Run: "run-1", Chunk: 7, Seq: 3, Part: 1}, Rows: 10, Done: 2, Take: 5}

var (
	window = statement.Window{Keys: 100_000, Passes: 16, Batches: 4}
	stripe = statement.Stripe{Run: "run-1", Chunk: 7, Part: 3, Rows: 10, Done: 2, Take: 5}
)

// scoped is the composite change with a where.
func scoped() change.Change {
	c := composite
	c.Where = "n < 0 AND note IS NULL"
	return c
}

// keep is an update that keeps what it overwrites.
func keep(c change.Change, span statement.Span, form statement.Form) []statement.Query {
	updates := statement.Apply(c, span, form)
	for i := range updates {
		updates[i] = statement.Keep(c, span.Range, updates[i], statement.Place{Run: "run-1", Chunk: 7, Seq: 3, Part: i})
	}
	return updates
}

func goldens() map[string][]statement.Query {
	one := func(q statement.Query) []statement.Query { return []statement.Query{q} }
	lo, hi := keyset.Point{tenant, "2024-01-01 00:00:00+00", "5"}, keyset.Point{other, "2024-02-01 00:00:00+00", "7"}
	return map[string][]statement.Query{
		"update_first":            statement.Plain(simple, span(nil, keyset.Point{"10"}, 0)),
		"update_between":          statement.Plain(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"update_parameters":       statement.Plain(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"update_volatile":         statement.Plain(volatile, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"update_composite_first":  statement.Plain(composite, span(nil, hi, 0)),
		"update_composite_apart":  statement.Plain(composite, span(lo, hi, 0)),
		"update_composite_tenant": statement.Plain(composite, span(lo, keyset.Point{tenant, hi[1], "7"}, 1)),
		"update_composite_time":   statement.Plain(composite, span(lo, keyset.Point{tenant, lo[1], "7"}, 2)),
		"forget":                  statement.Apply(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Forget),
		"keep_returning":          keep(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Returning),
		"keep_compared":           keep(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Compared),
		"keep_locked":             keep(composite, span(lo, keyset.Point{tenant, lo[1], "7"}, 2), statement.Locked),
		"keep_first":              keep(simple, span(nil, keyset.Point{"10"}, 0), statement.Compared),
		"restore":                 one(statement.Restore(parameters, piece)),
		"restore_composite":       one(statement.Restore(composite, piece)),
		"one_returning":           one(statement.One(simple, keyset.Point{"10"}, statement.Returning)),
		"one_composite":           one(statement.One(composite, lo, statement.Compared)),
		"held":                    one(statement.Held(parameters, piece)),
		"held_composite":          one(statement.Held(composite, piece)),
		"consume_whole":           one(statement.Consume(statement.Piece{Place: piece.Place, Rows: 10, Done: 5, Take: 5})),
		"consume_part":            one(statement.Consume(statement.Piece{Place: piece.Place, Rows: 10, Done: 5, Take: 4})),
		"peek":                    one(statement.Peek("run-1", 7)),
		"open":                    one(statement.Open(simple, "run-1", 7, keyset.Range{Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}, window)),
		"open_composite":          one(statement.Open(composite, "run-1", 7, keyset.Range{Hi: hi}, window)),
		"stripe_returning":        one(statement.Striped(simple, stripe, statement.Returning)),
		"stripe_compared":         one(statement.Striped(parameters, stripe, statement.Compared)),
		"stripe_locked":           one(statement.Striped(composite, stripe, statement.Locked)),
		"stripe_peek":             one(statement.PeekStripe("run-1", 7)),
		"stripe_consume_whole":    one(statement.ConsumeStripe(statement.Stripe{Run: "run-1", Chunk: 7, Part: 3, Rows: 10, Done: 5, Take: 5})),
		"stripe_consume_part":     one(statement.ConsumeStripe(stripe)),
		"stripe_key":              one(statement.StripeKey(simple.Key, stripe)),
		"stripe_key_composite":    one(statement.StripeKey(composite.Key, stripe)),
		"stripe_window_end":       one(statement.WindowEnd("run-1", 7)),
		"piece_key":               one(statement.PieceKey(simple.Key, piece)),
		"piece_key_composite":     one(statement.PieceKey(composite.Key, piece)),
		"next_first":              one(statement.Next(simple, nil, keyset.Point{"20"}, 500)),
		"next_between":            one(statement.Next(simple, keyset.Point{"10"}, keyset.Point{"20"}, 500)),
		"next_composite":          one(statement.Next(composite, lo, hi, 500)),
		"matching_first": one(statement.Matching(simple, span(nil, keyset.Point{"20"}, 0),
			[]keyset.Range{{Hi: keyset.Point{"10"}}, {Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}}, 500)),
		"matching_parameters": one(statement.Matching(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0),
			[]keyset.Range{{Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}}, 500)),
		"matching_composite":       one(statement.Matching(scoped(), span(lo, hi, 0), []keyset.Range{{Lo: lo, Hi: hi}}, 500)),
		"shared":                   one(statement.Shared(composite, keyset.Range{Lo: lo, Hi: hi})),
		"last":                     one(statement.Last(simple)),
		"last_composite":           one(statement.Last(composite)),
		"delete_plain":             statement.Plain(purge, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"delete_forget":            statement.Apply(purge, span(nil, keyset.Point{"20"}, 0), statement.Forget),
		"delete_keep":              keep(purge, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Returning),
		"delete_keep_composite":    keep(purgeItems, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), statement.Returning),
		"delete_keep_bare":         keep(bare, span(nil, keyset.Point{"20"}, 0), statement.Returning),
		"delete_one":               one(statement.One(purge, keyset.Point{"10"}, statement.Returning)),
		"delete_restore":           one(statement.Restore(purge, piece)),
		"delete_restore_composite": one(statement.Restore(purgeItems, piece)),
		"delete_restore_bare":      one(statement.Restore(bare, piece)),
		"delete_leave":             one(statement.Leave(purge, piece, "a foreign key")),
		"delete_held_bare":         one(statement.Held(bare, piece)),
		"provable":                 one(statement.Provable(composite, hi, "n")),
		"left":                     one(statement.Left(purge, keyset.Point{"20"})),
		"look":                     statement.Look(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), false, statement.Forget),
		"look_mend_returning":      statement.Look(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), true, statement.Returning),
		"look_mend_compared":       statement.Look(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), true, statement.Compared),
		"look_mend_composite":      statement.Look(composite, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), true, statement.Locked),
		"cursor_first":             one(statement.Cursor(simple, "walk", nil, keyset.Point{"20"})),
		"cursor_composite":         one(statement.Cursor(composite, "walk", lo, hi)),
	}
}

func TestStatementsAreAsRecorded(t *testing.T) {
	for name, queries := range goldens() {
		path := filepath.Join("testdata", name+".sql")
		got := render(queries)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-recorded +built; `go test ./internal/statement -update` records anew):\n%s", path, diff)
		}
	}
}

func TestStatementsArePreparedByPostgres(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		schema, err := ledger.Schema(0)
		if err != nil {
			t.Fatal(err)
		}
		db.Exec(t, tables+schema)
		conn := db.Connect(t)
		for name, queries := range goldens() {
			for i, query := range queries {
				if strings.HasSuffix(name, "_returning") && db.Major < "18" {
					continue
				}
				if strings.HasPrefix(query.SQL, "backfill_") {
					query.SQL = "WITH " + query.SQL + " SELECT 1"
				}
				if _, selected, declared := strings.Cut(query.SQL, " CURSOR FOR "); declared {
					query.SQL = selected
				}
				prepared, err := conn.Prepare(context.Background(), fmt.Sprint(name, i), query.SQL)
				if err != nil {
					t.Errorf("%s: %v\n%s", name, err, query.SQL)
				} else if len(prepared.ParamOIDs) != len(query.Args) {
					t.Errorf("%s: %d placeholders, %d arguments", name, len(prepared.ParamOIDs), len(query.Args))
				}
			}
		}
	})
}

func FuzzNamesAreQuoted(f *testing.F) {
	f.Add(`x"; DROP TABLE users; --`)
	f.Add("Ünïcode 😀")
	f.Fuzz(func(t *testing.T, name string) {
		quoted := statement.Quote(name)
		inner := strings.ReplaceAll(quoted[1:len(quoted)-1], `""`, "")
		if strings.Contains(inner, `"`) || strings.Contains(quoted, "\x00") {
			t.Fatalf("%q became %s", name, quoted)
		}
	})
}

func render(queries []statement.Query) string {
	var text strings.Builder
	for _, query := range queries {
		fmt.Fprintf(&text, "%s;\n-- %q\n", query.SQL, query.Args)
	}
	return text.String()
}
