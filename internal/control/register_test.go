package control_test

import (
	"encoding/json"
	"strings"
	"testing"

	"backfill/internal/control"
	"backfill/internal/failure"
	"backfill/internal/prospect"
	"backfill/internal/records"
	"backfill/internal/registry"
	"backfill/internal/review"
	"backfill/internal/run"
)

const halve = "name: halve\ntable: users\nset: {n: n / 2}\nwhere: n > @least\nparams: {least: {type: int, min: 100, max: 900}}\n"

// withUsers adds the table that definitions are about.
func withUsers(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.Exec(t, "CREATE TABLE users (id bigint PRIMARY KEY, n int)")
	b.control.Reviewer = review.Reviewer{Session: b.Session, Registry: registry.Registry{Store: b.Records}} // no definition in a request
	return b
}

func (b *bundle) register(t *testing.T, text string) control.Registered {
	t.Helper()
	answer, err := b.ask(t, "register", control.Registering{Action: "register", Definition: text, By: "ann@laptop"})
	must(t, err)
	var got control.Registered
	must(t, json.Unmarshal([]byte(answer), &got))
	return got
}

// TestTheRightToRegisterIsOneOfItsOwn: who may act may not register, and who may register may do nothing else.
func TestTheRightToRegisterIsOneOfItsOwn(t *testing.T) {
	t.Parallel()
	b := withUsers(t)
	asked := control.Registering{Action: "register", Definition: halve}
	for _, alias := range []string{"", "read", "live", "$LATEST", "7", "Register"} {
		if told := b.refused(t, alias, asked); !strings.Contains(told, `alias "register"`) {
			t.Errorf("alias %q: %s", alias, told)
		}
	}
	for _, input := range []string{
		`{"action":"status","run":"run-1"}`, `{"action":"list"}`, `{"action":"definitions"}`, `{"action":"cancel","run":"run-1"}`,
		`{"action":"validate","backfill":"users-email-normalized"}`, `{"action":"sweep"}`, `{"action":"pause","run":"run-1"}`, `{}`,
		`{"detail-type":"Step Functions Execution Status Change","detail":{"name":"run-1","status":"ABORTED","executionArn":"x","input":"{\"run\":\"run-1\"}"}}`,
	} {
		if told := b.refused(t, "register", input); !strings.Contains(told, `serves "register" only`) {
			t.Errorf("%s: %s", input, told)
		}
	}
	b.Expect(t, run.Running, "")
	if found, err := b.Records.Definitions(t.Context()); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestWhatIsRegisteredIsChecked as a start would be, with examples for the parameters that a start has to give.
func TestWhatIsRegisteredIsChecked(t *testing.T) {
	t.Parallel()
	b := withUsers(t)
	for text, want := range map[string]string{
		"":                                      `"definition" is missing`,
		"name: halve":                           "set: it is missing",
		"name: [":                               "this is not YAML",
		"name: a\ntable: users\nset: {m: 1}\n":  "has no such column",
		"name: a\ntable: nobody\nset: {n: 1}\n": "nobody",
		"name: a\ntable: users\nset: {n: 1; DROP TABLE users}\n":                           "3:",
		"name: users-email-normalized\ntable: users\nset: {n: 1}\n":                        "compiled into this deployment",
		"name: a\ntable: users\nset: {n: '@x'}\nparams: {x: {type: nothing}}\n":            "not a type",
		"name: a\ntable: users\nset: {n: '@x'}\nparams: {x: {type: int, default: much}}\n": "not of type integer",
	} {
		told := b.refused(t, "register", control.Registering{Action: "register", Definition: text})
		if !strings.Contains(told, want) {
			t.Errorf("%q: %s, want %s", text, told, want)
		}
	}
	if found, err := b.Records.Definitions(t.Context()); err != nil || len(found) != 0 {
		t.Fatalf("%v, %v", found, err)
	}
	told := b.refused(t, "register", control.Registering{Action: "register", Definition: halve, Params: map[string]any{"least": "5"}})
	if !strings.Contains(told, "less than the least") {
		t.Error(told)
	}
	if got := b.register(t, halve); got.Version != 1 || !got.New || got.Table != "public.users" || got.By != "ann@laptop" {
		t.Errorf("%+v", got)
	}
}

func TestVersionsAreKeptAndShown(t *testing.T) {
	t.Parallel()
	b := withUsers(t)
	b.register(t, halve)
	again := b.register(t, halve)
	if again.New || again.Version != 1 {
		t.Errorf("%+v", again)
	}
	second := strings.Replace(halve, "n / 2", "n / 3", 1) + "owner: payments\n"
	if got := b.register(t, second); got.Version != 2 {
		t.Errorf("%+v", got)
	}
	var listed control.Definitions
	look(t, b, `{"action":"definitions"}`, &listed)
	names := map[string]int64{}
	for _, d := range listed.Definitions {
		names[d.Name] = d.Version
	}
	if names["halve"] != 2 || names["users-email-normalized"] != 0 || len(names) != len(listed.Definitions) {
		t.Errorf("%+v", listed)
	}
	for input, want := range map[string]string{
		`{"action":"definitions","name":"halve"}`:             second,
		`{"action":"definitions","name":"halve","version":1}`: halve,
	} {
		var shown registry.Shown
		look(t, b, input, &shown)
		if shown.Source != want || len(shown.Versions) != 2 || shown.Versions[0].Owner != "payments" {
			t.Errorf("%s: %+v", input, shown)
		}
	}
	var embedded registry.Shown
	look(t, b, `{"action":"definitions","name":"users-email-normalized"}`, &embedded)
	if embedded.Version != 0 || !strings.Contains(embedded.Source, "name: users-email-normalized") {
		t.Errorf("%+v", embedded)
	}
	for input, want := range map[string]string{
		`{"action":"definitions","name":"halve","version":3}`:                  "it has 1 to 2",
		`{"action":"definitions","name":"halv"}`:                               "did you mean halve?",
		`{"action":"definitions","name":"users-email-normalized","version":1}`: "has no versions",
		`{"action":"definitions","name":"` + strings.Repeat("x", 3000) + `"}`:  "there is no backfill",
		`{"action":"definitions","version":1}`:                                 `needs a "name"`,
	} {
		if told := b.refused(t, "read", input); !strings.Contains(told, want) {
			t.Errorf("%s: %s", input, told)
		}
	}
}

func look(t *testing.T, b *bundle, input string, into any) {
	t.Helper()
	answer, err := b.ask(t, "read", input)
	must(t, err)
	must(t, json.Unmarshal([]byte(answer), into))
}

// TestANameIsJudgedByTheVersionThatItNames, where the stack takes no definition in a request.
func TestANameIsJudgedByTheVersionThatItNames(t *testing.T) {
	t.Parallel()
	b := withUsers(t)
	b.register(t, halve)
	b.register(t, "name: halve\ntable: users\nset: {n: n / 4}\n")
	var found prospect.Checked
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"validate","backfill":"halve"}`)), &found))
	if found.Version != 2 || found.Change.Set[0].Expression != "n / 4" {
		t.Errorf("%+v", found)
	}
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"validate","backfill":"halve@1","params":{"least":"100"}}`)), &found))
	if found.Version != 1 || found.Change.Set[0].Expression != "n / 2" {
		t.Errorf("%+v", found)
	}
	for name, want := range map[string]string{
		"halve@3": "halve has no version 3; it has 1 to 2", "halve@0": "names no version", "halve@x": "write halve@3", "halve@01": "names no version",
		"halve@": "names no version", strings.Repeat("x", 3000): "there is no backfill", strings.Repeat("x", 3000) + "@1": "there is no backfill", "halv": "did you mean halve?", "users-email-normalized@1": "has no versions", "nothing@1": "there is no backfill",
	} {
		if told := b.refused(t, "", map[string]string{"action": "validate", "backfill": name}); !strings.Contains(told, want) {
			t.Errorf("%s: %s", name, told)
		}
	}
	if _, err := b.ask(t, "", map[string]string{"action": "validate", "definition": halve}); !failure.Is(err, failure.Invalid) {
		t.Errorf("%v", err)
	}
}

// TestANameOfTwoDefinitionsIsRefused: a deployment that brings a name which is registered must not change what a schedule starts.
func TestANameOfTwoDefinitionsIsRefused(t *testing.T) {
	t.Parallel()
	b := withUsers(t)
	added, _, err := b.Records.Register(t.Context(), records.Definition{Name: "users-email-normalized", Source: "name: users-email-normalized\ntable: users\nset: {n: 1}\n"})
	must(t, err)
	told := b.refused(t, "", `{"action":"validate","backfill":"users-email-normalized"}`)
	if !strings.Contains(told, "start users-email-normalized@1") {
		t.Error(told)
	}
	var found prospect.Checked
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"validate","backfill":"users-email-normalized@1"}`)), &found))
	if found.Version != added.Version {
		t.Errorf("%+v", found)
	}
}

// TestWhatADefinitionDependsOnIsSaid where it is validated or registered, also in a database in which nothing has ever begun.
func TestWhatADefinitionDependsOnIsSaid(t *testing.T) {
	t.Parallel()
	b := withUsers(t)
	made := b.register(t, "name: halve\ntable: users\nset: {n: n / 2}\ndepends_on: before\n")
	b.Exec(t, "DROP SCHEMA backfill CASCADE")
	var found prospect.Checked
	must(t, json.Unmarshal([]byte(b.answer(t, `{"action":"validate","backfill":"halve"}`)), &found))
	for _, notes := range [][]string{made.Notes, found.InTheWay} {
		if !strings.Contains(strings.Join(notes, "\n"), "before is not done: no run of it has begun") {
			t.Errorf("%v", notes)
		}
	}
}
