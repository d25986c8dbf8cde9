package definition_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/expression"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParse: whatever a file holds, the reader comes back; each problem has words and a place in the file; what is accepted is
// whole, is the same when its Source is read again, and can be placed in; and the schema accepts what the reader does.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	compiled := schema(f)
	f.Fuzz(func(t *testing.T, source []byte) {
		d, problems := definition.Parse(source)
		lines := linesOf(source)
		for _, p := range problems {
			if p.Message == "" || p.Remedy == "" || !utf8.ValidString(p.String()) {
				t.Fatalf("bad words: %+v", p)
			}
			if p.Line != 0 || p.Column != 0 || len(problems) > 1 {
				within(t, lines, p)
			}
		}
		if d.Examples(nil) == nil {
			t.Fatal("no examples")
		}
		_, refused := d.Arguments(d.Examples(nil))
		if problems != nil {
			return
		}
		if refused != nil {
			t.Fatalf("its own examples are refused: %v", refused)
		}
		accepted(t, d, lines)
		again, problems := definition.Parse([]byte(d.Source))
		if diff := cmp.Diff(d, again, same); problems != nil || diff != "" {
			t.Fatalf("its source gives another: %v, %s", problems, diff)
		}
		decoded, ok := value(d.Source)
		if err := compiled.Validate(decoded); ok && err != nil && !strings.Contains(strings.ToLower(err.Error()), "params") {
			t.Fatalf("the schema refuses it: %v", err) // types of parameters may be in capitals to the reader
		}
	})
}

// same compares definitions by all that they hold.
var same = cmp.Options{
	cmpopts.IgnoreUnexported(definition.Definition{}), cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b expression.Expression) bool { return a.String() == b.String() }),
}

// seeds are bad and good files.
func seeds(f *testing.F) (seeds [][]byte) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../review/testdata/bad/*.yaml", "../catalog/testdata/*/*.yaml", "../backfills/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			seeds = append(seeds, read(f, file))
		}
	}
	return append(seeds, []byte("\ufeffname: a\r\ntable: b\rset: {c: d}"), []byte("windows:\n-"), []byte("name: a\ntable: \"\\\"A b\\\".c\"\nkey: [id, 'B c']\nset:\n  a: |\n    x +\n      @y\n  \"b\": 'it''s'\n  c: >-\n    1\n    + 2\nwhere: a > 1\n"+
		"params: {y: {type: int, default: 1, min: 0}}\nwindows: [{days: mon-fri}, {hours: 20:00-06:00, timezone: Europe/Berlin}]\n"+
		"throttle: {lock_waiters: 4, own: {query: SELECT 1, limit: 2}}\ndepends_on: [b, c]\nundo: off\nchunk_rows: 250_000\n"))
}

// linesOf is the text as its lines are counted.
func linesOf(source []byte) []string {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(source), "\ufeff"))
	return strings.Split(text, "\n")
}

// within demands that a place is in the text, or right behind the end of a line.
func within(t *testing.T, lines []string, p definition.Problem) {
	t.Helper()
	if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
		t.Fatalf("%+v is not within the text", p)
	}
}

// whole tells whether what its kind needs is there, and nothing of another.
func whole(d definition.Definition) bool {
	sets, computes, copies := len(d.Set) > 0, d.Transform.Function != "" && len(d.Transform.Writes) > 0, d.Copy != nil && d.Copy.Into.Name != ""
	switch d.Kind {
	case change.Set, change.Joined:
		return (d.Join != nil) == (d.Kind == change.Joined) && sets && !computes && !copies
	case change.Transform:
		return computes && !sets && !copies
	case change.Copy, change.Move:
		return copies && !sets && !computes && d.Copy.Move == (d.Kind == change.Move)
	case change.Delete, change.Archived:
		return (d.Archive.Name != "") == (d.Kind == change.Archived) && !sets && !computes && !copies && !d.Where.IsZero()
	}
	return false
}

// accepted demands what the package promises of a definition without problems.
func accepted(t *testing.T, d definition.Definition, lines []string) {
	t.Helper()
	if d.Name == "" || d.Table == (change.Table{}) || !whole(d) {
		t.Fatalf("it is not whole: %+v", d)
	}
	for path, text := range texts(d) {
		for offset := -1; offset <= len(text); offset++ {
			within(t, lines, d.Problem(path, offset, "wrong", "change it"))
		}
	}
}

// texts are what others complain about, by their paths.
func texts(d definition.Definition) map[string]string {
	all := map[string]string{"where": d.Where.String(), "table": d.Table.Name, "name": d.Name, "no.such.path": "x"}
	for _, a := range d.Set {
		all["set."+a.Column] = a.Expression.String()
	}
	for _, m := range d.Metrics {
		all[fmt.Sprintf("throttle.%s.query", m.Name)] = m.Query
	}
	for _, p := range d.Params {
		all["params."+p.Name] = p.Default
	}
	return all
}
