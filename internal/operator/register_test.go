package operator

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/run"
)

var registerTranscripts = map[string]transcript{
	"register":         {[]string{"register", "users.yaml", "-p", "since=2024-01-01"}, answers("register", madeVersion(3, true))},
	"register-again":   {[]string{"register", "users.yaml"}, answers("register", madeVersion(3, false))},
	"register-params":  {[]string{"register", "-", "-p", "least=5"}, all(typed(parametrised), answers("register", madeVersion(1, true)))},
	"register-json":    {[]string{"register", "users.yaml", "-o", "json"}, answers("register", madeVersion(3, true))},
	"register-problem": {[]string{"register", "users.yaml"}, answers("register", classed("Backfill.Invalid", "2 problems:\n1:7: name: it is wrong; change it\n2:1: table: so is this; change it, too"))},
	"register-none":    {[]string{"register"}, nil},
	"register-missing": {[]string{"register", "no-such.yaml"}, nil},
	"help-register":    {[]string{"register", "--help"}, nil},

	"definitions":         {[]string{"definitions"}, answers("definitions", map[string]any{"definitions": catalog()})},
	"definitions-60":      {[]string{"definitions"}, on(60, answers("definitions", map[string]any{"definitions": catalog()}))},
	"definitions-json":    {[]string{"definitions", "-o", "json"}, answers("definitions", map[string]any{"definitions": catalog()[:1]})},
	"definitions-one":     {[]string{"definitions", "users-country", "--version", "2"}, answers("definitions", second())},
	"definitions-unknown": {[]string{"definitions", "users-county"}, answers("definitions", classed("Backfill.Invalid", `there is no backfill "users-county"; did you mean users-country?`))},
	"definitions-usage":   {[]string{"definitions", "--version", "2"}, nil},
	"definitions-zero":    {[]string{"definitions", "users-country", "--version", "0"}, nil},

	"list-registered":   {[]string{"list"}, answers("list", map[string]any{"runs": []run.Status{ofVersion(2), working()}})},
	"status-registered": {[]string{"status", "email-1"}, answers("status", ofVersion(2))},
	"start-registered":  {[]string{"start", "users-country@2"}, answers("status", ofVersion(2))},
}

func TestRegisterTranscripts(t *testing.T) { transcribe(t, registerTranscripts) }

// TestRegisterGoesByItsAlias, which a stack that is older than this command does not have.
func TestRegisterGoesByItsAlias(t *testing.T) {
	t.Parallel()
	api := &lambdaAPI{}
	f := function{api: api, name: "act", reader: "look", registrar: "register"}
	if _, err := f.Register(t.Context(), registration{}); err != nil || api.asked != "register" {
		t.Errorf("%q was asked, %v", api.asked, err)
	}
	f.registrar = ""
	_, err := f.Register(t.Context(), registration{})
	if fault := asFault(t.Context(), err); fault.Exit != exitUnreachable || fault.Next == "" {
		t.Errorf("%+v", fault)
	}
}

func madeVersion(version int64, isNew bool) registered {
	return registered{Name: "users-country", Version: version, Table: "public.users", New: isNew, Estimated: 1_000_000,
		Notes: []string{"the table was never analysed"}}
}

func catalog() []known {
	at := noon.Add(-3 * time.Hour)
	return []known{
		{Name: "users-country", Version: 2, Table: "public.users", By: "ann@laptop", At: &at, Description: "Countries in capitals."},
		{Name: "orders-cents", Table: "public.orders", Database: "orders", Description: "Cents."},
		{Name: "users-email-normalized", Table: "public.users", Description: "Mail addresses in the form in which they are compared."},
	}
}

func second() shown {
	one, two := catalog()[0], catalog()[0]
	one.Version, one.By = 1, ""
	return shown{known: two, Source: inline, Versions: []known{two, one}}
}

func ofVersion(version int64) run.Status {
	status := working()
	status.Backfill, status.Version = "users-country", version
	return status
}

// TestAFileThatIsNoUTF8IsRefusedHere: on its way as JSON its bytes would become others.
func TestAFileThatIsNoUTF8IsRefusedHere(t *testing.T) {
	b := setup(t)
	b.In = strings.NewReader("name: a\ntable: t\nset: {a: \"'\xe4'\"}\n")
	if code := b.run(t, "register", "-"); code != exitInvalid || !strings.Contains(b.err.String(), "it is not UTF-8") || len(b.control.asked) != 0 {
		t.Errorf("exit code %d: %s; asked %v", code, &b.err, b.control.asked)
	}
}

// TestManyProblemsAreAListStill: with a comma in their number.
func TestManyProblemsAreAListStill(t *testing.T) {
	t.Parallel()
	fault := classed("Backfill.Invalid", "2,000 problems:\n4:3: one\n5:3: two\nand 1,998 more; mend these first")
	if fault.Message != "2,000 problems" || len(fault.Problems) != 3 {
		t.Errorf("%+v", fault)
	}
}
