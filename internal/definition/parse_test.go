package definition_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/keyset"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func TestBadDefinitionsSayAllThatIsWrong(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			_, problems := definition.Parse(read(t, file))
			if problems == nil {
				t.Fatal("it was accepted")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", problems.Error()+"\n")
		})
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, file)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	source := `# The mail addresses as people mean them.
name: orders-total
description: >-
  Two
  lines
owner: team-billing
database: orders_eu-1
table: Shop."Order ""Items"""
key: [tenant_id, Id, '"Line No"']
set:
  total: price * 1.19
  zero: 0
  big: 12345678901234567890
  rate: 1.50
  active: true
  nothing: null
  plan: "'free'"
  path: |
    payload #>> '{a,b}'
  since: '@since'
where: created_at >= @since AND n > @least
params:
  since: timestamptz
  least: {type: int, default: 1_0, min: 1, description: of n}
chunk_rows: 250_000
error_budget: 1_000
on_failure: continue
rows: follow
order: ascending
`
	source = strings.Replace(source, "1_0", "10", 1)
	d, problems := definition.Parse([]byte(source))
	if problems != nil {
		t.Fatal(problems)
	}
	got := map[string]string{}
	for _, a := range d.Set {
		got[a.Column] = a.Expression.String()
	}
	want := map[string]string{"total": "price * 1.19", "zero": "0", "big": "12345678901234567890", "rate": "1.50",
		"active": "true", "nothing": "null", "plan": "'free'", "path": "payload #>> '{a,b}'", "since": "@since"}
	for what, pair := range map[string][2]any{
		"set":    {want, got},
		"where":  {"created_at >= @since AND n > @least", d.Where.String()},
		"table":  {change.Table{Schema: "shop", Name: `Order "Items"`}, d.Table},
		"key":    {[]string{"tenant_id", "Id", "Line No"}, d.Key},
		"words":  {[]string{"orders-total", "Two lines", "team-billing"}, []string{d.Name, d.Description, d.Owner}},
		"stack":  {"orders_eu-1", d.Database},
		"rows":   {int64(250_000), d.ChunkRows},
		"budget": {int64(1_000), d.ErrorBudget},
		"way":    {change.Continue, d.OnFailure},
		"follow": {true, d.Follow},
		"order":  {keyset.Ascending, d.Order},
		"source": {source, d.Source},
		"params": {[]definition.Param{{Name: "since", Type: "timestamptz"},
			{Name: "least", Type: "integer", Default: "10", Optional: true, Min: "1", Description: "of n"}}, d.Params},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func TestParseDefaults(t *testing.T) {
	t.Parallel()
	d, problems := definition.Parse([]byte("name: a\ntable: Users\nkey: id\nset: {a: lower(b)}\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	if d.Table != (change.Table{Schema: "public", Name: "users"}) || d.ChunkRows != definition.DefaultChunkRows ||
		d.Kind != change.Set || d.Order == keyset.Descending || !d.Where.IsZero() || len(d.Key) != 1 || d.Key[0] != "id" {
		t.Errorf("got %+v", d)
	}
}

func TestParseADeletion(t *testing.T) {
	t.Parallel()
	d, problems := definition.Parse([]byte("name: a\ntable: Users\nwhere: seen < @before\nparams: {before: date}\ndelete: true\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	if d.Kind != change.Delete || len(d.Set) != 0 || d.Where.String() != "seen < @before" || !d.Undo {
		t.Errorf("got %+v", d)
	}
}

func TestParseACopy(t *testing.T) {
	t.Parallel()
	d, problems := definition.Parse([]byte("name: a\ntable: Orders\ncopy:\n  into: archive.\"Old Orders\"\n  columns:\n    id: id\n    '\"Total\"': total * @rate\n" +
		"  on_conflict: update\n  conflict_key: [Id, no]\nparams: {rate: numeric}\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	got := map[string]string{}
	for _, a := range d.Copy.Columns {
		got[a.Column] = a.Expression.String()
	}
	if diff := cmp.Diff(map[string]string{"id": "id", "Total": "total * @rate"}, got); diff != "" {
		t.Error(diff)
	}
	if d.Kind != change.Copy || d.Copy.Into != (change.Table{Schema: "archive", Name: "Old Orders"}) || d.Copy.OnConflict != change.Update ||
		len(d.Copy.ConflictKey) != 2 || d.Copy.ConflictKey[0] != "Id" || d.Table.Name != "orders" {
		t.Errorf("got %+v, %+v", d, d.Copy)
	}
	if p := d.Problem("copy.columns.Total", 8, "wrong", ""); p.Line != 7 || p.Column != 24 {
		t.Errorf("the parameter is at %d:%d", p.Line, p.Column)
	}
	d, problems = definition.Parse([]byte("name: a\ntable: orders\ncopy: {into: old}\n"))
	if problems != nil || d.Copy.OnConflict != change.Fail || d.Copy.Into.Schema != "public" || len(d.Copy.Columns) != 0 || !d.Undo {
		t.Errorf("got %+v, %v", d.Copy, problems)
	}
}

func TestParseAMove(t *testing.T) {
	t.Parallel()
	for source, kind := range map[string]change.Kind{"copy: {into: old, move: true}": change.Move, "copy: {into: old, move: false}": change.Copy,
		"undo: off\ncopy: {into: old, move: true, on_conflict: update}": change.Move} {
		d, problems := definition.Parse([]byte("name: a\ntable: orders\n" + source + "\n"))
		if problems != nil || d.Kind != kind || d.Copy.Into.Name != "old" {
			t.Errorf("%s: %s, %v", source, d.Kind, problems)
		}
	}
}

func TestParseAnArchive(t *testing.T) {
	t.Parallel()
	d, problems := definition.Parse([]byte("name: a\ntable: Users\nwhere: seen < now()\narchive: Old.\"Users\"\ndelete: true\nundo: off\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	if d.Kind != change.Archived || d.Archive != (change.Table{Schema: "old", Name: "Users"}) || d.Undo {
		t.Errorf("got %+v", d)
	}
}

func TestParseAJoin(t *testing.T) {
	t.Parallel()
	source := "name: a\ntable: Orders\nfrom:\n  c: Shop.Customers\n  r: '\"R\"'\njoin: c.id = orders.customer_id AND c.since > @since\nset: {n: c.n}\nparams: {since: date}\n"
	for unmatched, want := range map[string]bool{"": false, "unmatched: leave\n": false, "unmatched: set\n": true} {
		d, problems := definition.Parse([]byte(source + unmatched))
		if problems != nil {
			t.Fatal(problems)
		}
		from := []change.Source{{Alias: "c", Table: change.Table{Schema: "shop", Name: "customers"}}, {Alias: "r", Table: change.Table{Schema: "public", Name: "R"}}}
		if diff := cmp.Diff(from, d.Join.From); diff != "" || d.Kind != change.Joined || d.Join.On.String() != "c.id = orders.customer_id AND c.since > @since" || d.Join.Unmatched != want {
			t.Errorf("%s: got %+v, %s", unmatched, d.Join, diff)
		}
	}
}

func TestEachWayToDealWithAFailure(t *testing.T) {
	t.Parallel()
	for _, way := range change.OnFailures() {
		d, problems := definition.Parse([]byte("name: a\ntable: users\nset: {a: lower(b)}\non_failure: " + string(way) + "\n"))
		if problems != nil || d.OnFailure != way {
			t.Errorf("%s: %v, %v", way, d.OnFailure, problems)
		}
	}
}

func TestProblemFindsTheCharacterInEveryStyle(t *testing.T) {
	t.Parallel()
	source := "name: a\ntable: t\nset:\n  é: éé + X\n  b: 'it''s  + X'\n  \"c\": \"a\\t\\u0041 \\\n     + X\"\n" +
		"  d: |\n    a\n      + X\n  e: >\n    a\n    + X\n  f: a\n    + X\n  g: {}\n"
	source = strings.Replace(source, "  g: {}\n", "", 1)
	source = strings.Replace(source, "'it''s  + X'", "'''it''''s''  + X'", 1)
	d, problems := definition.Parse([]byte(source))
	if problems != nil {
		t.Fatal(problems)
	}
	lines := strings.Split(source, "\n")
	for _, a := range d.Set {
		path := "set." + a.Column
		p := d.Problem(path, strings.Index(a.Expression.String(), "X"), "wrong", "change it")
		if got := at(lines, p); got != "X" {
			t.Errorf("%s: %d:%d is %q", path, p.Line, p.Column, got)
		}
	}
	if p := d.Problem("set.b", -1, "wrong", "change it"); p.Line != 5 || p.Column != 3 {
		t.Errorf("the key of set.b is at %d:%d", p.Line, p.Column)
	}
	if p := d.Problem("where", 3, "wrong", ""); p.String() != "1:1: where: wrong" {
		t.Errorf("a missing path is %q", p)
	}
	if !d.Quoted("set.b") || d.Quoted("set.d") {
		t.Error("Quoted is wrong")
	}
}

func TestProblemsAreInvalidOrNil(t *testing.T) {
	t.Parallel()
	if err := (definition.Problems)(nil).Err(); err != nil {
		t.Errorf("no problems are %v", err)
	}
	_, problems := definition.Parse([]byte("a: 1"))
	if !failure.Is(problems.Err(), failure.Invalid) {
		t.Errorf("class is %s", failure.Of(problems.Err()))
	}
}

func TestParseRefusesAFileThatIsTooLong(t *testing.T) {
	t.Parallel()
	_, problems := definition.Parse([]byte(strings.Repeat("#", 65<<10)))
	if problems == nil || !strings.Contains(problems.Error(), "bytes") {
		t.Errorf("got %v", problems)
	}
}

// at gives the character at a problem's place.
func at(lines []string, p definition.Problem) string {
	if line := []rune(lines[p.Line-1]); p.Column <= len(line) {
		return string(line[p.Column-1])
	}
	return "the end of " + lines[p.Line-1]
}

func TestParseWhatADefinitionDependsOn(t *testing.T) {
	t.Parallel()
	for given, want := range map[string][]string{"b": {"b"}, "[b]": {"b"}, "\n  - b\n  - c-1": {"b", "c-1"}} {
		d, problems := definition.Parse([]byte("name: a\ntable: users\nset: {a: lower(b)}\ndepends_on: " + given + "\n"))
		if diff := cmp.Diff(want, d.DependsOn); problems != nil || diff != "" {
			t.Errorf("%q: %v, %s", given, problems, diff)
		}
	}
}

// TestTheStacksOwnDatabaseHasAName, which means the same as none.
func TestTheStacksOwnDatabaseHasAName(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"": "", "database: default\n": "", "database: defaults\n": "defaults"} {
		d, problems := definition.Parse([]byte("name: a\ntable: users\nset: {a: lower(b)}\n" + given))
		if problems != nil || d.Database != want {
			t.Errorf("%q: %q, %v", given, d.Database, problems)
		}
	}
}
