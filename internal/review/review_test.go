package review_test

import (
	"context"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/review"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

type session struct{ conn *pgx.Conn }

func (s session) Conn(context.Context) (*pgx.Conn, error) { return s.conn, nil }

func setup(t *testing.T, inline bool) review.Reviewer {
	t.Helper()
	db := pgtest.Newest(t)
	db.Exec(t, `CREATE TABLE users (id bigint PRIMARY KEY, email text, shout text, twice text GENERATED ALWAYS AS (email || email) STORED);
		INSERT INTO users (id, email) SELECT g, g::text FROM generate_series(1, 3000) g;
		CREATE TABLE loose (a int, b int NOT NULL); CREATE UNIQUE INDEX ON loose (b, a); ANALYZE`)
	return review.Reviewer{Session: session{db.Connect(t)}, Inline: inline}
}

func TestAGoodDefinitionIsResolvedAndItsPlanLookedAt(t *testing.T) {
	r := setup(t, true)
	finding, err := r.Review(t.Context(), review.Subject{Definition: "name: shout\ntable: users\nset: {shout: upper(email)}\n"})
	if err != nil {
		t.Fatal(err)
	}
	if finding.Estimated != 3000 || finding.Bound[0] != "3000" || finding.Change.Set[0].Type != "text" {
		t.Fatalf("%+v", finding)
	}
}

// TestAllProblemsComeInOneAnswer: of the table, the expressions and the parameters together.
func TestAllProblemsComeInOneAnswer(t *testing.T) {
	r := setup(t, true)
	_, err := r.Review(t.Context(), review.Subject{
		Definition: `name: shout
table: users
set:
  shuot: upper(email)
  twice: email
  shout: upper(emial) || @suffix
where: id > @after
params:
  after: {type: bigint}
  suffix: {type: text}
`,
		Params: map[string]any{"after": "yesterday", "befor": "x"},
	})
	if !failure.Is(err, failure.Invalid) {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"4:", "shuot", "5:", "twice", "6:", "emial", "after", "suffix", "befor"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the answer does not name %q:\n%s", part, err)
		}
	}
}

// TestNoProblemHidesAnother: neither one of the file, nor of an expression that cannot be read, nor of the table.
func TestNoProblemHidesAnother(t *testing.T) {
	r := setup(t, true)
	for name, params := range map[string]map[string]any{
		"unreadable-expressions": {"befor": 1},
		"unknown-table":          {"after": "x"},
		"missing-table":          nil,
		"types-unknown":          nil,
		"no-yaml":                {"after": "x"},
	} {
		_, err := r.Review(t.Context(), review.Subject{Definition: content(t, "testdata/"+name+".yaml"), Params: params})
		if !failure.Is(err, failure.Invalid) {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(content(t, "testdata/"+name+".txt"), err.Error()+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// away is a database that nobody reaches.
type away struct{}

func (away) Conn(context.Context) (*pgx.Conn, error) {
	return nil, failure.New(failure.Transient, "connect to database app: refused")
}

// TestWhatTheFileSaysWrongNeedsNoDatabase: trying again would not help.
func TestWhatTheFileSaysWrongNeedsNoDatabase(t *testing.T) {
	r := review.Reviewer{Session: away{}, Inline: true}
	if _, err := r.Review(t.Context(), review.Subject{Definition: content(t, "testdata/missing-table.yaml")}); !failure.Is(err, failure.Invalid) {
		t.Errorf("%v", err)
	}
	if _, err := r.Review(t.Context(), review.Subject{Definition: "name: shout\ntable: users\nset: {shout: upper(email)}\n"}); !failure.Is(err, failure.Transient) {
		t.Errorf("%v", err)
	}
}

func TestATextIsRefusedWhereTheStackDoesNotAllowIt(t *testing.T) {
	r := setup(t, false)
	_, err := r.Review(t.Context(), review.Subject{Definition: "name: shout\ntable: users\nset: {shout: upper(email)}\n"})
	if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "AllowInlineDefinitions") {
		t.Fatalf("%v", err)
	}
}
