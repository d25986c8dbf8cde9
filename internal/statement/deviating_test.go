package statement_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/statement"
)

// scripts are what people run by psql: values stand in the text.
func scripts() map[string]string {
	lo, hi := keyset.Point{tenant, "2024-01-01 00:00:00+00", "5"}, keyset.Point{other, "2024-02-01 00:00:00+00", "7"}
	public, own := []string{"public"}, []string{`Sales Dept`, "public"}
	repeatable := scoped()
	repeatable.Params = []change.Param{{Name: "what", Type: "jsonb", Value: `{"a": "it's\\"}`}}
	repeatable.Where = "note = @what"
	return map[string]string{
		"deviating":           statement.Deviating(simple, keyset.Range{Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}, nil, public),
		"deviating_first":     statement.Deviating(parameters, keyset.Range{Hi: keyset.Point{"20"}}, []keyset.Point{{"-7"}, {"12"}}, public),
		"deviating_everybody": statement.Deviating(composite, keyset.Range{Hi: hi}, nil, nil),
		"deviating_apart":     statement.Deviating(repeatable, keyset.Range{Lo: lo, Hi: hi}, []keyset.Point{lo, hi}, own),
		"deviating_tenant":    statement.Deviating(composite, keyset.Range{Lo: lo, Hi: keyset.Point{tenant, hi[1], "7"}}, nil, own),
		"deviating_time":      statement.Deviating(composite, keyset.Range{Lo: lo, Hi: keyset.Point{tenant, lo[1], "7"}}, nil, own),
		"remaining":           statement.Remaining(purge, keyset.Point{"20"}, public),
		"remaining_composite": statement.Remaining(filedItems, hi, own),
		"remaining_move":      statement.Remaining(moved(change.Fail), keyset.Point{"20"}, public),
	}
}

func TestScriptsAreAsRecorded(t *testing.T) {
	for name, got := range scripts() {
		recorded(t, name, got)
	}
}

// TestScriptsAreRunByPostgres in the session of a person, who may have any settings.
func TestScriptsAreRunByPostgres(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, tables)
		conn := db.Connect(t)
		for name, script := range scripts() {
			if _, err := conn.PgConn().Exec(t.Context(), script).ReadAll(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, script)
			}
		}
	})
}

// TestKeysOfAnyTextAreFound: what a script writes as a constant is the text that it was, under either way to read a backslash.
func TestKeysOfAnyTextAreFound(t *testing.T) {
	texts := []string{"", "it's", `\`, `\'; DROP TABLE n; --`, "a\nb\t\x01\x7f", "\u202ea\u00a0\U000e0001", "ü😀", `E'\x41'`, "$$ $1 :name"}
	c := change.Change{Kind: change.Set, Table: change.Table{Schema: "public", Name: "n"}, Key: []keyset.Column{{Name: "id", Type: "text"}},
		Set: []change.Assignment{given("done", "text", "id || @all")}}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		conn := db.Connect(t)
		db.Exec(t, `CREATE TABLE n (id text COLLATE "C" PRIMARY KEY, done text)`)
		for _, text := range texts {
			if _, err := conn.Exec(t.Context(), "INSERT INTO n VALUES ($1, $1 || $1)", text); err != nil {
				t.Fatal(err)
			}
		}
		for _, way := range []string{"on", "off"} {
			if _, err := conn.Exec(t.Context(), "SET standard_conforming_strings = "+way); err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				c.Params = []change.Param{{Name: "all", Type: "text", Value: text}}
				within := keyset.Range{Hi: keyset.Point{"\U0010ffff"}}
				script := statement.Deviating(c, within, nil, []string{"public"})
				if strings.ContainsFunc(script, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
					t.Errorf("a terminal may take a part of it for a command: %q", script)
				}
				got := pgtest.List(t, conn, script)
				if len(got) != len(texts)-1 || slices.Contains(got, text) {
					t.Errorf("%s: %q is not what was written: %q", way, text, got)
				}
				c.Params[0].Value = "other"
				within.Hi = keyset.Point{text}
				below := slices.DeleteFunc(slices.Sorted(slices.Values(texts)), func(s string) bool { return s >= text })
				if got := pgtest.List(t, conn, statement.Deviating(c, within, []keyset.Point{{text}}, nil)); !slices.Equal(got, below) {
					t.Errorf("%s: below %q are %q, want %q", way, text, got, below)
				}
			}
		}
	})
}
