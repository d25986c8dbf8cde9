package definition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/definition"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const everyType = `name: a
table: t
set:
  a: f(@t, @i, @b, @n, @o, @d, @s, @z, @u, @v)
params:
  t: text
  i: {type: int, default: 7, min: -5, max: 10}
  b: bigint
  n: {type: decimal, min: 0.5, default: 1}
  o: {type: bool, default: true}
  d: {type: date, min: 2024-01-01, default: 2024-02-29}
  s: {type: timestamp, default: 2024-02-29 12:30}
  z: {type: timestamptz, default: 2024-02-29, max: 2024-12-31T00:00:00+02}
  u: {type: uuid, default: 7D444840-9DC0-11D1-B245-5FFDCE74FAD2}
  v: {type: interval, default: 90 days}
`

func parse(t *testing.T, source string) definition.Definition {
	t.Helper()
	d, problems := definition.Parse([]byte(source))
	if problems != nil {
		t.Fatal(problems)
	}
	return d
}

// decode reads JSON as package request does.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var given map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&given); err != nil {
		t.Fatal(err)
	}
	return given
}

func TestArguments(t *testing.T) {
	t.Parallel()
	d := parse(t, everyType)
	params, problems := d.Arguments(decode(t, `{"t": "é \" @x", "b": 9007199254740993, "n": 1e2, "z": "2024-03-01 10:00:00.123456+02"}`))
	if problems != nil {
		t.Fatal(problems)
	}
	want := []change.Param{
		{Name: "t", Type: "text", Value: `é " @x`}, {Name: "i", Type: "integer", Value: "7"},
		{Name: "b", Type: "bigint", Value: "9007199254740993"}, {Name: "n", Type: "numeric", Value: "1e2"},
		{Name: "o", Type: "boolean", Value: "true"}, {Name: "d", Type: "date", Value: "2024-02-29"},
		{Name: "s", Type: "timestamp", Value: "2024-02-29T12:30:00"},
		{Name: "z", Type: "timestamptz", Value: "2024-03-01T08:00:00.123456Z"},
		{Name: "u", Type: "uuid", Value: "7d444840-9dc0-11d1-b245-5ffdce74fad2"}, {Name: "v", Type: "interval", Value: "90 days"},
	}
	if diff := cmp.Diff(want, params); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestArgumentsSayAllThatIsWrong(t *testing.T) {
	t.Parallel()
	d := parse(t, everyType)
	tests := map[string]struct{ given, want string }{
		"missing": {`{}`, "2 problems:\nparams.t: it is missing; give a value of type text, like free\n" +
			"params.b: it is missing; give a value of type bigint, like 42"},
		"unknown": {`{"t": "", "b": 1, "tt": 1, "zzz": 2}`, "2 problems:\nparams.tt: the backfill has no such parameter; did you mean t?\n" +
			"params.zzz: the backfill has no such parameter; known are b, d, i, n, o, s, t, u, v, z"},
		"mistyped": {`{"t": null, "b": 9223372036854775808, "i": 1.5, "n": "NaN", "o": 1, "d": "01/02/2024", "s": [1], "z": {"a": 1}, "u": "1", "v": true}`,
			"10 problems:\n" +
				"params.t: it is null; give a value, or leave it out where there is a default\n" +
				"params.i: \"1.5\" is not of type integer; write it like 42\n" +
				"params.b: \"9223372036854775808\" is not of type bigint; write it like 42\n" +
				"params.n: \"NaN\" is not of type numeric; write it like 12.50\n" +
				"params.o: \"1\" is not of type boolean; write it like true\n" +
				"params.d: \"01/02/2024\" is not of type date; write it like 2024-01-31\n" +
				"params.s: it is a list or an object; give a single value of type timestamp\n" +
				"params.z: it is a list or an object; give a single value of type timestamptz\n" +
				"params.u: \"1\" is not of type uuid; write it like 7d444840-9dc0-11d1-b245-5ffdce74fad2\n" +
				"params.v: \"true\" is not of type interval; write it like 90 days"},
		"out of bounds": {`{"t": "", "b": "1", "i": 11, "n": 0.25, "d": "2023-12-31", "z": "2024-12-30 22:00:01Z"}`, "4 problems:\n" +
			"params.i: 11 is more than the most that is allowed, 10; give a value from -5 to 10\n" +
			"params.n: 0.25 is less than the least that is allowed, 0.5; give 0.5 or more\n" +
			"params.d: 2023-12-31 is less than the least that is allowed, 2024-01-01; give 2024-01-01 or more\n" +
			"params.z: 2024-12-30T22:00:01Z is more than the most that is allowed, 2024-12-30T22:00:00Z; give 2024-12-30T22:00:00Z or less"},
		"long": {`{"t": "", "b": "` + strings.Repeat("x", 100) + `"}`,
			`params.b: "` + strings.Repeat("x", 60) + `..." is not of type bigint; write it like 42`},
	}
	for name, test := range tests {
		_, problems := d.Arguments(decode(t, test.given))
		if diff := cmp.Diff(test.want, problems.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestANumberThatLostItsDigitsIsRefused(t *testing.T) {
	t.Parallel()
	d := parse(t, "name: a\ntable: t\nset: {a: \"@b\"}\nparams: {b: bigint}\n")
	if _, problems := d.Arguments(map[string]any{"b": float64(9007199254740993)}); problems == nil {
		t.Error("it was accepted")
	}
}

func TestATextStaysAsItIs(t *testing.T) {
	t.Parallel()
	d := parse(t, "name: a\ntable: t\nset: {a: \"@t\"}\nparams: {t: text}\n")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[^\x00]*`).Draw(t, "text")
		params, problems := d.Arguments(map[string]any{"t": text})
		if problems != nil || params[0].Value != text {
			t.Fatalf("%q became %v, %v", text, params, problems)
		}
	})
}

func TestValuesStayTheSameWhenReadAgain(t *testing.T) {
	t.Parallel()
	d := parse(t, everyType)
	rapid.Check(t, func(t *rapid.T) {
		given := map[string]any{
			"t": "x",
			"b": rapid.StringMatching(`-?[0-9]{1,18}`).Draw(t, "bigint"),
			"n": rapid.StringMatching(`[1-9][0-9]{0,30}(\.[0-9]{0,9})?(e[0-9])?`).Draw(t, "numeric"),
			"s": rapid.StringMatching(`20[0-2][0-9]-0[1-9]-[012][1-8][T ][01][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?`).Draw(t, "timestamp"),
			"z": rapid.StringMatching(`20[01][0-9]-0[1-9]-[012][1-8][T ][01][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-]0[0-9](:?30)?)?`).Draw(t, "timestamptz"),
		}
		once, problems := d.Arguments(given)
		if problems != nil {
			t.Fatal(problems)
		}
		for _, param := range once {
			given[param.Name] = param.Value
		}
		twice, problems := d.Arguments(given)
		if diff := cmp.Diff(once, twice); problems != nil || diff != "" {
			t.Fatalf("%v %s", problems, diff)
		}
	})
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	known := []string{"email", "email_normalized", "created_at", "Order Total"}
	for name, want := range map[string]string{
		"emial": "did you mean email?", "EMAIL": "did you mean email?", "createdat": "did you mean created_at?",
		"order_total": "did you mean Order Total?", "zip": "known are Order Total, created_at, email, email_normalized",
		"email_normalised": "did you mean email_normalized?",
	} {
		if got := definition.DidYouMean(name, known); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := definition.DidYouMean("a", nil); got != "there is none" {
		t.Errorf("of none: %s", got)
	}
}
