package expression_test

import (
	"strings"
	"testing"

	"backfill/internal/expression"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func identity(name string) string { return "@" + name }

func TestParseFindsParameters(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text  string
		names []string
		bound string
	}{
		{"lower(btrim(email))", nil, "lower(btrim(email))"},
		{"created_at >= @since AND n<@n", []string{"since"}, "created_at >= <since> AND n<@n"},
		{"created_at>=@since", []string{"since"}, "created_at>=<since>"},
		{"-@step + @step", []string{"step"}, "-<step> + <step>"},
		{"a||@b||@c", []string{"b", "c"}, "a||<b>||<c>"},
		{"tags @> @wanted", []string{"wanted"}, "tags @> <wanted>"},
		{"tags @>@wanted", []string{"wanted"}, "tags @><wanted>"},
		{"tags <@wanted", nil, "tags <@wanted"},
		{"doc @@query AND doc @?path", nil, "doc @@query AND doc @?path"},
		{"name ^@prefix", nil, "name ^@prefix"},
		{"@ balance", nil, "@ balance"},
		{"@tags[1]::int", []string{"tags"}, "<tags>[1]::int"},
		{"'@a' || \"@b\" || $$@c$$ || $t$ $$ @d $t$ || E'\\'@e' || @f", []string{"f"},
			"'@a' || \"@b\" || $$@c$$ || $t$ $$ @d $t$ || E'\\'@e' || <f>"},
		{"U&'@a' || U&\"@b\" UESCAPE '!'", nil, "U&'@a' || U&\"@b\" UESCAPE '!'"},
		{"E'a'\n 'b\\'@c' || @d", []string{"d"}, "E'a'\n 'b\\'@c' || <d>"},
		{"'it''s @a' || 'b\\' || @c", []string{"c"}, "'it''s @a' || 'b\\' || <c>"},
		{"type'@a'", nil, "type'@a'"},
		{"a$b$ || @c", []string{"c"}, "a$b$ || <c>"},
		{"f(x => @y)", []string{"y"}, "f(x => <y>)"},
	}
	for _, test := range tests {
		parsed, problems := expression.Parse(test.text)
		if problems != nil {
			t.Errorf("Parse(%q): %v", test.text, problems)
			continue
		}
		if diff := cmp.Diff(test.names, parsed.Params()); diff != "" {
			t.Errorf("Parse(%q).Params: %s", test.text, diff)
		}
		if got := parsed.Bind(func(name string) string { return "<" + name + ">" }); got != test.bound {
			t.Errorf("Parse(%q).Bind = %q, want %q", test.text, got, test.bound)
		}
	}
}

// TestWordsOfStatementsCanBeColumns: they are not reserved.
func TestWordsOfStatementsCanBeColumns(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"coalesce(update, set)", "(delete IS NULL)", "(insert)", "(update + set)", "f(merge, into)", "(SELECT update FROM t)"} {
		if _, problems := expression.Parse(text); problems != nil {
			t.Errorf("%s: %v", text, problems)
		}
	}
	for _, text := range []string{"(update t SET a = 1)", `(WITH x AS (UPDATE s."T" AS u SET a = 1 RETURNING a) SELECT a FROM x)`, "(delete from t)",
		"(INSERT INTO t VALUES (1))", "(MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE)"} {
		if _, problems := expression.Parse(text); len(problems) != 1 || !strings.Contains(problems[0].Message, "changes data") {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

// TestDepth: what is as deep as is allowed is accepted.
func TestDepth(t *testing.T) {
	t.Parallel()
	for depth, fine := range map[int]bool{200: true, 201: false, 5000: false} {
		_, problems := expression.Parse(strings.Repeat("(", depth) + "a" + strings.Repeat(")", depth))
		if (len(problems) == 0) != fine || len(problems) > 1 {
			t.Errorf("%d: %v", depth, problems)
		}
	}
}

// TestUntyped: what takes the type of the column that it is assigned to.
func TestUntyped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"'a'": true, "NULL": true, "((null))": true, "$$x$$": true, "'a'\n 'b'": true, "E'a'": true,
		"'a'::text": false, "nullif(a, b)": false, "@a": false, "1": false, "'a' || 'b'": false, `"null"`: false, "date '2024-01-01'": false,
	} {
		parsed, problems := expression.Parse(text)
		if problems != nil || parsed.Untyped() != want {
			t.Errorf("%s: %v, %v", text, parsed.Untyped(), problems)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"NULL", "1.5e-3", ".5", "0x1F", "'free'", "a IS DISTINCT FROM b", "a is not distinct\n from b",
		"extract(year FROM created_at)", "CASE WHEN a THEN 'x' ELSE 'y' END", "(SELECT max(x) FROM t WHERE y = 1)",
		"x::timestamp with time zone", "CAST(a AS text)", "t.order", "ARRAY[1, 2][1:2]", "a AT TIME ZONE 'UTC'",
		"jsonb_build_object('a', b) - 'c'", "substring(a FROM '\\d+')", `"from" || "a;b"`, "';--/*'",
		"percentile_cont(0.5) WITHIN GROUP (ORDER BY x)", "EXISTS (SELECT FROM t)", "a - -1", "$$;$$",
	} {
		if _, problems := expression.Parse(text); problems != nil {
			t.Errorf("Parse(%q): %v", text, problems)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		offset  int
		message string
	}{
		{"", 0, "empty"},
		{" \n", 0, "empty"},
		{"a\x00b", 1, "NUL"},
		{"'\xff'", 0, "UTF-8"},
		{"a; b", 1, "; ends"},
		{"a, b", 1, "comma"},
		{"(a", 0, "( is never closed"},
		{"a[(1]", 4, "] comes while ( is open"},
		{"a)", 1, ") closes nothing"},
		{"lower(a)) , x = (lower(b)", 8, ") closes nothing"},
		{"'a", 0, "string is not closed"},
		{"E'a\\'", 0, "string is not closed"},
		{"$t$ a $$", 0, "string is not closed"},
		{`"a`, 0, "quoted name is not closed"},
		{"a -- b", 2, "comment"},
		{"a /* b", 2, "comment"},
		{"1--1", 1, "comment"},
		{"a+/*b*/c", 2, "comment"},
		{"$1", 0, "$1 is not a parameter"},
		{"a + $ b", 4, "$ is not a parameter"},
		{"12abc", 0, "runs into a name"},
		{"SELECT 1", 0, "SELECT begins"},
		{"with x as (select 1) select 2", 0, "WITH begins"},
		{"VALUES (1)", 0, "VALUES begins"},
		{"TABLE users", 0, "TABLE begins"},
		{"a FROM b", 2, "FROM begins"},
		{"a WHERE b", 2, "WHERE begins"},
		{"a RETURNING b", 2, "RETURNING begins"},
		{"a AS b", 2, "AS begins"},
		{"a ORDER BY b", 2, "ORDER begins"},
		{"a union select b", 2, "UNION begins"},
	}
	for _, test := range tests {
		_, problems := expression.Parse(test.text)
		if len(problems) == 0 {
			t.Errorf("Parse(%q) accepts it", test.text)
			continue
		}
		if got := problems[0]; got.Offset != test.offset || !strings.Contains(got.Message, test.message) {
			t.Errorf("Parse(%q) = %d %q, want %d %q", test.text, got.Offset, got.Message, test.offset, test.message)
		}
	}
}

func TestOriginFollowsBind(t *testing.T) {
	t.Parallel()
	parsed, _ := expression.Parse("@a + bb + @c + dd")
	bind := func(string) string { return "($1::bigint)" }
	bound := parsed.Bind(bind)
	for _, part := range []string{"bb", "dd"} {
		got := parsed.Origin(strings.Index(bound, part), bind)
		if want := strings.Index(parsed.String(), part); got != want {
			t.Errorf("Origin of %s = %d, want %d", part, got, want)
		}
	}
	if got, want := parsed.Origin(strings.LastIndex(bound, "bigint"), bind), parsed.Where("c"); got != want {
		t.Errorf("Origin inside of a value = %d, want %d", got, want)
	}
	if got := parsed.Origin(1000, bind); got != len(parsed.String()) {
		t.Errorf("Origin beyond the end = %d", got)
	}
	if got := parsed.Where("missing"); got != -1 {
		t.Errorf("Where of no parameter = %d", got)
	}
}

// fragments are pieces whose boundaries attackers and typists get wrong.
var fragments = []string{"a", "@p", "@", " ", "'", "''", `"`, "E'", `\`, "$$", "$t$", "$1", "(", ")", "[", "]", ",", ";", "--", "/*",
	"*/", "\n", "<@", "@>", "=", "-", "from", "select", "distinct", "1", ".", "x = (", "é", "\x00", "U&'"}

func TestBindWithIdentityIsTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(fragments)).Draw(t, "text"), "")
		holds(t, text)
	})
}

func TestAttackIsRefusedWhateverItSurrounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(fragments)).Draw(t, "text"), "")
		if _, problems := expression.Parse(text); problems != nil {
			return
		}
		for _, attack := range []string{") , x = (", "), (", "; DROP TABLE users", " -- ", ") WHERE true OR ("} {
			if _, problems := expression.Parse(text + attack + "b"); problems == nil {
				t.Fatalf("accepted %q", text+attack+"b")
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("lower(btrim(email)) || E'\\'' || $t$@x$t$ || @since")
	f.Add("lower(a)) , x = (lower(b)")
	f.Fuzz(func(t *testing.T, text string) { holds(t, text) })
}

// holds checks what is true of every text.
func holds(t interface{ Fatalf(string, ...any) }, text string) {
	parsed, problems := expression.Parse(text)
	for _, problem := range problems {
		if problem.Offset < 0 || problem.Offset > len(text) || problem.Message == "" || problem.Remedy == "" {
			t.Fatalf("Parse(%q): bad problem %+v", text, problem)
		}
	}
	if problems != nil {
		if !parsed.IsZero() {
			t.Fatalf("Parse(%q) gives an expression and problems", text)
		}
		return
	}
	if got := parsed.Bind(identity); got != text {
		t.Fatalf("Bind(identity) of %q = %q", text, got)
	}
	if again, problems := expression.Parse("(" + text + ")"); problems != nil || len(again.Params()) != len(parsed.Params()) {
		t.Fatalf("%q is not the same in parentheses: %v", text, problems)
	}
}
