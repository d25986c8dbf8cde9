package routing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/dynamotest"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/records"
	"backfill/internal/registry"
	"backfill/internal/routing"
	"backfill/internal/run"
)

const (
	orders = "orders"
	users  = "users"
)

// ledgers stand in for those of the databases of a stack: by database the execution of each run.
type ledgers map[string]map[string]string

// ledgerOf is one; where it is nil the database does not answer.
type ledgerOf struct{ runs map[string]string }

var errSilent = failure.New(failure.Transient, "connect: no answer")

func (l ledgerOf) Renew(context.Context) error {
	if l.runs == nil {
		return errSilent
	}
	return nil
}

func (l ledgerOf) Run(_ context.Context, id string) (ledger.Run, error) {
	execution, ok := l.runs[id]
	if !ok {
		return ledger.Run{}, failure.New(failure.Invalid, "run %s: %w", id, ledger.ErrNoRun)
	}
	return ledger.Run{Run: id, Execution: execution}, nil
}

// definitions stand in for the registry: by name the text.
type definitions map[string]string

func (d definitions) Find(_ context.Context, name string) (registry.Found, error) {
	if d[name] == "" {
		return registry.Found{}, failure.New(failure.Invalid, "there is no backfill %q", name)
	}
	return registry.Found{Name: name, Source: d[name]}, nil
}

// bundle is a stack of three databases: its own, orders and users; and their records.
type bundle struct {
	routing.Starts
	store   *records.Store
	ledgers ledgers
}

func setup(t *testing.T, names ...string) *bundle {
	t.Helper()
	client, table := dynamotest.Table(t, nil)
	b := &bundle{store: records.New(client, table, time.Hour, time.Now), ledgers: ledgers{"": {}, orders: {}, users: {}}}
	find := func(database string) routing.Ledger { return ledgerOf{b.ledgers[database]} }
	b.Runs = &routing.Runs{Databases: names, Records: b.store, Ledger: find}
	b.Definitions = routing.Definitions{Databases: names, Registry: definitions{
		"own": "name: own\ntable: t\nset: {a: b}\n", "of-orders": "database: orders\nname: of-orders\ntable: t\nset: {a: b}\n",
		"lost": "name: lost\ndatabase: lost\ntable: t\nset: {a: b}\n", "broken": "database: orders\ntabel: t\n",
	}}
	return b
}

// record has a run in a database, that of an execution.
func (b *bundle) record(t *testing.T, database, id, execution string) {
	t.Helper()
	must(t, b.store.In(database).CreateRun(t.Context(), run.Status{Run: id, StartedAt: time.Now()}, execution))
}

// expect demands a database, or a part of the error and its class.
func expect(t *testing.T, what, got string, err error, want string, class failure.Class) {
	t.Helper()
	switch {
	case class == "" && (err != nil || got != want):
		t.Errorf("%s: %q, %v, want %q", what, got, err, want)
	case class != "" && (!failure.Is(err, class) || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: %q, %v, want %s with %q", what, got, err, class, want)
	}
}

func TestARunIsWhereItsRecordSays(t *testing.T) {
	t.Parallel()
	b := setup(t, orders, users)
	b.record(t, "", "old", "arn")
	b.record(t, orders, "new", "arn")
	b.record(t, "lost", "gone", "arn")
	b.ledgers = nil // nobody is asked
	for id, want := range map[string]string{"old": "", "new": orders} {
		for range 2 {
			got, err := b.Of(t.Context(), id)
			expect(t, id, got, err, want, "")
		}
	}
	got, err := b.Of(t.Context(), "gone")
	expect(t, "gone", got, err, `run gone: database "lost": the stack has no such database, it has default, orders, users`, failure.Permanent)
	if !errors.Is(err, routing.ErrGone) {
		t.Error(err)
	}
}

// TestARunWithoutARecordIsLookedFor in each database; one that does not answer matters only where it may be the one.
func TestARunWithoutARecordIsLookedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, orders, users)
	b.ledgers[users]["run"] = "arn"
	for name, c := range map[string]struct {
		id     string
		silent string
		want   string
		class  failure.Class
	}{
		"it is there":                        {"run", "none", users, ""},
		"another does not answer":            {"more", orders, users, ""},
		"it may be in the one that does not": {"nobody", orders, "look for run nobody", failure.Transient},
		"it is nowhere":                      {"nowhere", "none", "", ""},
	} {
		b.ledgers[users]["more"] = "arn"
		kept := b.ledgers[c.silent]
		b.ledgers[c.silent] = nil
		got, err := b.Of(t.Context(), c.id)
		expect(t, name, got, err, c.want, c.class)
		b.ledgers[c.silent] = kept
	}
	alone := setup(t)
	alone.ledgers[""] = nil // a stack of one database has nothing to look for
	got, err := alone.Of(t.Context(), "run")
	expect(t, "of one database", got, err, "", "")
}

// unreadable are records that do not answer.
type unreadable struct{}

func (unreadable) Run(context.Context, string) (records.Record, error) {
	return records.Record{}, errSilent
}

// TestRecordsDoNotAnswer: nothing is done in a database that may be another one's, and a stack of one does not wait for them.
func TestRecordsDoNotAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names []string
		want  string
		class failure.Class
	}{{nil, "", ""}, {[]string{orders}, "no answer", failure.Transient}} {
		b := setup(t, c.names...)
		b.Records = unreadable{}
		got, err := b.Of(t.Context(), "run")
		expect(t, fmt.Sprint(c.names), got, err, c.want, c.class)
	}
}

func request(text string) []byte { return []byte(text) }

// TestAStartIsWhereItsDefinitionSays, and what goes on with a run where that is.
func TestAStartIsWhereItsDefinitionSays(t *testing.T) {
	t.Parallel()
	b := setup(t, orders, users)
	b.record(t, users, "there", "arn:there")
	b.record(t, "", "mine", "arn:mine")
	for asked, c := range map[string]struct {
		want  string
		class failure.Class
	}{
		`{"action":"start","backfill":"own"}`:                                     {"", ""},
		`{"action":"start","backfill":"of-orders"}`:                               {orders, ""},
		`{"action":"start","backfill":"broken"}`:                                  {orders, ""}, // the review says that it is
		`{"action":"start","definition":"name: a\ndatabase: users\n"}`:            {users, ""},
		`{"action":"start","definition":"name: a\ndatabase: default\n"}`:          {"", ""},
		`{"action":"start","backfill":"lost"}`:                                    {`this stack has no "lost", it has default, orders, users;`, failure.Invalid},
		`{"action":"start","backfill":"lost","dry_run":true}`:                     {`parameters Databases and DatabaseSecretArns`, failure.Invalid},
		`{"action":"start","backfill":"nobody"}`:                                  {`there is no backfill "nobody"`, failure.Invalid},
		`{"action":"start","backfill":"of-orders","run":"there"}`:                 {"run there is one of database users already", failure.Invalid},
		`{"action":"start","backfill":"of-orders","run":"mine"}`:                  {"run mine is one of database default already", failure.Invalid},
		`{"action":"start","backfill":"own","run":"mine"}`:                        {"", ""}, // the ledger says how it stands
		`{"action":"start","backfill":"of-orders","run":"there","dry_run":true}`:  {orders, ""},
		`{"action":"resume","run":"there"}`:                                       {users, ""},
		`{"action":"rollback","run":"there"}`:                                     {users, ""},
		`{"action":"verify","run":"mine"}`:                                        {"", ""},
		`{"action":"begin","backfill":"lost"}`:                                    {"", ""}, // the planner says what is wrong
		`{"action":"start","backfill":"own","definition":"name: a","run":"both"}`: {"", ""},
	} {
		got, err := b.Asked(t.Context(), request(asked), "run-1", "arn:run-1")
		expect(t, asked, got, err, c.want, c.class)
	}
	got, err := b.Asked(t.Context(), request(`{"action":"start","backfill":"of-orders","run":"there"}`), "x", "arn:there")
	expect(t, "the execution of the run asks once more", got, err, users, "")
}

// TestWhatEndedBadlyIsClosedWhereItIs: by its record, or where its definition would have had it.
func TestWhatEndedBadlyIsClosedWhereItIs(t *testing.T) {
	t.Parallel()
	b := setup(t, orders, users)
	b.record(t, users, "there", "arn:there")
	b.ledgers[orders]["raced"] = "arn:raced"
	b.record(t, users, "raced", "arn:other")
	b.ledgers[users]["unrecorded"] = "arn:u"
	for name, c := range map[string]struct{ input, name, execution, want string }{
		"it has its record":                        {`{"backfill":"own"}`, "there", "arn:there", users},
		"it was refused under the id of another":   {`{"backfill":"of-orders"}`, "there", "arn:x", users},
		"the other took the id in the same moment": {`{"backfill":"of-orders"}`, "raced", "arn:raced", orders},
		"it has no record yet":                     {`{"backfill":"of-orders"}`, "fresh", "arn:fresh", orders},
		"its database is not known":                {`{"backfill":"lost"}`, "fresh", "arn:fresh", ""},
		"it was to go on with a run":               {`{"action":"resume","run":"there"}`, "x", "arn:x", users},
		"it was to go on with one without record":  {`{"action":"resume","run":"unrecorded"}`, "x", "arn:u", users},
		"it is no request":                         {`[]`, "nothing", "arn:x", ""},
	} {
		got, err := b.Ended(t.Context(), []byte(c.input), c.name, c.execution)
		expect(t, name, got, err, c.want, "")
	}
}

// TestTheNameOfADatabaseIsOneOfTheStack, whoever gives it.
func TestTheNameOfADatabaseIsOneOfTheStack(t *testing.T) {
	t.Parallel()
	all := routing.Databases{orders}
	if err := errors.Join(all.Named(""), all.Named(orders), all.Kept(""), all.Kept(orders)); err != nil {
		t.Error(err)
	}
	if err := all.Named("x"); !failure.Is(err, failure.Invalid) {
		t.Error(err)
	}
	if err := all.Kept("x"); !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), "deploy, and then `backfill resume RUN`") {
		t.Error(err)
	}
	if got := fmt.Sprintf("%q", all.All()); got != `["" "orders"]` {
		t.Error(got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
