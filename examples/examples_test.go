// Package examples_test carries out each definition of this folder on the tables of schema.sql: with the real planner, workers and
// governor, on each version of Postgres.
package examples_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "backfill/internal/backfills" // with its Go functions
	"backfill/internal/definition"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/google/go-cmp/cmp"
)

// example says what a definition has to do: scope counts the rows that it changes, before the run; wrong those that are not as they
// should be, after it.
type example struct {
	params      map[string]string
	scope       string
	wrong       string // it may look at the table as it was before the run: before
	withoutUndo bool
}

var examples = map[string]example{
	"customer-email-normalized": {
		scope: "SELECT count(*) FROM customer WHERE email IS NOT NULL",
		wrong: "SELECT count(*) FROM customer WHERE email_normalized IS DISTINCT FROM lower(trim(both ' ' from email))",
	},
	"customer-public-id": {
		scope: "SELECT count(*) FROM customer",
		wrong: "SELECT count(*) - count(DISTINCT public_id) FROM customer",
	},
	"payment-cents": {
		scope: "SELECT count(*) FROM payment",
		wrong: "SELECT count(*) FROM payment WHERE amount_cents IS NULL OR amount_cents / 100.0 <> amount",
	},
	"film-slug": {
		scope: "SELECT count(*) FROM film",
		wrong: "SELECT count(*) FROM film WHERE slug IS DISTINCT FROM format('the-film-no-%1$s-%1$s', film_id)",
	},
	"film-features-to-details": {
		scope: "SELECT count(*) FROM film WHERE cardinality(special_features) > 0",
		wrong: `SELECT count(*) FROM film WHERE details -> 'length' IS NULL OR cardinality(special_features) <> coalesce(jsonb_array_length(details -> 'features'), 0)`,
	},
	"film-rating-codes": {
		scope: "SELECT count(*) FROM film WHERE rating LIKE '%-%'",
		wrong: "SELECT abs(400 - count(*)) FROM film WHERE rating IN ('12', '18')",
	},
	"rental-id-big": {
		scope: "SELECT count(*) FROM rental",
		wrong: "SELECT count(*) FROM rental WHERE rental_id_big IS DISTINCT FROM rental_id",
	},
	"rental-time-zone": {
		params: map[string]string{"zone": "America/New_York"},
		scope:  "SELECT count(*) FROM rental",
		// of the hour that the clocks left out there is no such time
		wrong: "SELECT count(*) FROM rental WHERE date_trunc('hour', rental_date) NOT IN ('2024-03-10 02:00', '2025-03-09 02:00') AND to_char(rented_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') IS DISTINCT FROM to_char(rental_date, 'YYYY-MM-DD HH24:MI')",
	},
	"customer-city": {
		scope: "SELECT count(*) FROM customer",
		wrong: "SELECT count(*) FROM customer c WHERE city IS DISTINCT FROM (SELECT t.city FROM address JOIN city t USING (city_id) WHERE address_id = c.address_id)",
	},
	"customer-email-hash": {
		scope: "SELECT count(*) FROM customer WHERE email IS NOT NULL",
		wrong: "SELECT count(*) FROM customer WHERE email_hash IS DISTINCT FROM sha256(convert_to(lower(trim(both ' ' from email)), 'UTF8'))",
	},
	"film-length": {
		scope: "SELECT count(*) FROM film",
		wrong: "SELECT count(*) FROM film WHERE to_jsonb(length) IS DISTINCT FROM details -> 'length'",
	},
	"film-to-product": {
		scope: "SELECT count(*) FROM film LEFT JOIN catalogue.product ON product_id = film_id WHERE price_cents / 100.0 IS DISTINCT FROM rental_rate",
		wrong: `SELECT count(*) FROM film LEFT JOIN catalogue.product ON product_id = film_id WHERE name IS DISTINCT FROM title
			OR price_cents / 100.0 <> rental_rate OR jsonb_array_length(tags) <> cardinality(special_features)`,
	},
	"payment-tax": {
		scope: "SELECT count(*) FROM payment WHERE amount_cents IS NOT NULL",
		wrong: "SELECT count(*) FROM payment WHERE tax_cents IS NULL OR abs(tax_cents - amount * 19 / 1.19) > 0.5",
	},
	"payment-to-history": {
		params: map[string]string{"before": "2025-01-01"},
		scope:  "SELECT count(*) FROM payment WHERE date_part('year', payment_date) < 2025",
		wrong: `SELECT count(*) FROM before b LEFT JOIN payment p USING (payment_date, payment_id) LEFT JOIN payment_history h USING (payment_date, payment_id)
			WHERE (p.amount IS NULL) = (h.amount_cents IS NULL) OR (p.amount IS NULL) <> (payment_date <= '2024-12-31 23:59:59') OR h.amount_cents / 100.0 <> b.amount`,
	},
	"rental-archive": {
		params: map[string]string{"before": "2024-07-01"},
		scope:  "SELECT count(*) FROM rental WHERE return_date < '2024-07-01'",
		wrong: `SELECT count(*) FROM before b LEFT JOIN rental r USING (rental_id) LEFT JOIN rental_archive a USING (rental_id)
			WHERE (r.rental_date IS NULL) IS DISTINCT FROM coalesce(b.return_date < '2024-07-01', false) OR (r.rental_date IS NULL) <> (a.return_date IS NOT DISTINCT FROM b.return_date AND a.archived_at IS NOT NULL)`,
	},
	"login-purge": {
		params: map[string]string{"before": "2024-01-01"},
		scope:  "SELECT count(*) FROM login WHERE date_part('year', at AT TIME ZONE 'UTC') < 2024",
		wrong:  "SELECT count(*) FROM login WHERE date_part('year', at AT TIME ZONE 'UTC') < 2024",
	},
	"customer-closed-anonymous": {
		params: map[string]string{"before": "2025-01-01"}, withoutUndo: true,
		scope: "SELECT count(*) FROM customer WHERE closed_on <= '2024-12-31'",
		wrong: "SELECT count(*) FROM customer WHERE (closed_on <= '2024-12-31') <> (last_name LIKE 'account %' AND email IS NULL) AND closed_on IS NOT NULL",
	},
}

func TestEachExampleIsTried(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	must(t, err)
	tried := slices.Sorted(maps.Keys(examples))
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".yaml")
	}
	if !slices.Equal(files, tried) {
		t.Errorf("files %v, tried %v", files, tried)
	}
}

// TestExamples starts each, starts it again, and takes it back.
func TestExamples(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		schema, err := os.ReadFile("schema.sql")
		must(t, err)
		db.Exec(t, string(schema))
		b := runtest.On(t, db)
		s := shop{Bench: b, line: b.Line(t)}
		for name, e := range examples {
			t.Run(name, func(t *testing.T) { s.try(t, name, e) })
		}
	})
}

type shop struct {
	*runtest.Bench
	line *runtest.Line
}

func (s *shop) try(t *testing.T, name string, e example) {
	source, d := read(t, name)
	for _, first := range d.DependsOn {
		other, _ := read(t, first)
		id := first + "-before-" + name
		s.ask(t, map[string]any{"action": "start", "run": id, "definition": string(other)}, run.Completed)
		defer s.ask(t, map[string]any{"action": "rollback", "run": id}, run.RolledBack)
	}
	restored := s.keep(t, d)
	scope := s.Number(t, e.scope)
	if scope == 0 {
		t.Fatal("no row is in scope")
	}
	s.start(t, name, source, e, scope)
	if wrong := s.Number(t, e.wrong); wrong != 0 {
		t.Errorf("%d rows are not as they should be", wrong)
	}
	if d.Has("verify") {
		s.verify(t, name, s.Number(t, "SELECT count(*) FROM before"))
	}
	s.start(t, name+"-again", source, e, 0)
	if e.withoutUndo {
		return
	}
	s.ask(t, map[string]any{"action": "rollback", "run": name}, run.RolledBack)
	restored()
}

// read reads the definition of a name.
func read(t *testing.T, name string) ([]byte, definition.Definition) {
	t.Helper()
	source, err := os.ReadFile(name + ".yaml")
	must(t, err)
	parsed, problems := definition.Parse(source)
	if problems != nil {
		t.Fatal(problems.Err())
	}
	return source, parsed
}

// keep keeps what the tables of a definition hold, the one that it walks as before. What it returns demands that they hold it again.
func (s *shop) keep(t *testing.T, d definition.Definition) (restored func()) {
	kept := map[string]string{"before": d.Table.String()}
	if d.Copy != nil {
		kept["before_copy"] = d.Copy.Into.String()
	}
	if d.Archive.Name != "" {
		kept["before_archive"] = d.Archive.String()
	}
	for before, table := range kept {
		s.Exec(t, "CREATE TEMPORARY TABLE "+before+" AS TABLE "+table)
		t.Cleanup(func() { s.Exec(t, "DROP TABLE "+before) })
	}
	return func() {
		t.Helper()
		for before, table := range kept {
			if left := s.Number(t, "SELECT count(*) FROM ((TABLE "+table+" EXCEPT ALL TABLE "+before+") UNION ALL (TABLE "+before+" EXCEPT ALL TABLE "+table+")) d"); left != 0 {
				t.Errorf("after the rollback %d rows of %s differ", left, table)
			}
		}
	}
}

// verify demands a certificate by value, of all rows, and a good answer to the query.
func (s *shop) verify(t *testing.T, id string, rows int64) {
	t.Helper()
	s.ask(t, map[string]any{"action": "verify", "run": id}, run.Completed)
	progress, err := s.Ledger.Look(t.Context(), id)
	must(t, err)
	c := progress.Certified
	if c == nil || !c.Holds || c.Values == nil || c.Values.InScope != rows || c.Values.Deviating != 0 || c.Invariant == nil || !c.Invariant.Holds || len(c.SQL) == 0 {
		t.Errorf("%s has the certificate %+v", id, c)
	}
}

// start demands how many rows a run writes.
func (s *shop) start(t *testing.T, id string, source []byte, e example, affected int64) {
	t.Helper()
	s.ask(t, map[string]any{"action": "start", "run": id, "definition": string(source), "params": e.params}, run.Completed)
	status, err := s.Records.Status(t.Context(), id)
	must(t, err)
	if status.Rows.Affected != affected {
		t.Errorf("%s wrote %d rows, want %d", id, status.Rows.Affected, affected)
	}
}

func (s *shop) ask(t *testing.T, request map[string]any, want run.State) {
	t.Helper()
	encoded, err := json.Marshal(request)
	must(t, err)
	if got := s.line.Run(t, encoded, fmt.Sprintf("%s-%s", runtest.Execution, request["action"])); got.Next != turn.End || got.State != want {
		t.Fatalf("%+v", got)
	}
}

// TestTheListOfExamplesIsTheirs: each file has a row with its kind, and with what a start has to give; what it gives is known.
func TestTheListOfExamplesIsTheirs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	must(t, err)
	listed := map[string][2]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| \[([a-z-]+)\.yaml\]\(([a-z-]+)\.yaml\) \| (\w+) \| (.*?) ?\| `).FindAllStringSubmatch(string(page), -1) {
		if row[1] != row[2] {
			t.Errorf("%s leads to %s", row[1], row[2])
		}
		listed[row[1]] = [2]string{row[3], row[4]}
	}
	if got, want := slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(examples)); !slices.Equal(got, want) {
		t.Fatalf("listed are %v, there are %v", got, want)
	}
	for name, row := range listed {
		_, d := read(t, name)
		if row[0] != string(d.Kind) {
			t.Errorf("%s is said to be of kind %s, and is of %s", name, row[0], d.Kind)
		}
		given := map[string]any{}
		for _, param := range regexp.MustCompile(`-p (\w+)=([^`+"`"+` ]+)`).FindAllStringSubmatch(row[1], -1) {
			given[param[1]] = param[2]
		}
		if _, problems := d.Arguments(given); problems != nil {
			t.Errorf("%s: %v", name, problems.Err())
		}
	}
}

// TestThePageShowsTheFiles: what docs show as the file that takes the place of a script is the file that is tried.
func TestThePageShowsTheFiles(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/from-a-script.md")
	must(t, err)
	blocks := strings.Split(string(page), "```yaml\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("%d files are shown", len(blocks))
	}
	for _, block := range blocks {
		shown, _, _ := strings.Cut(block, "```")
		parsed, problems := definition.Parse([]byte(shown))
		if problems != nil {
			t.Fatal(problems.Err())
		}
		file, err := os.ReadFile(parsed.Name + ".yaml")
		must(t, err)
		if diff := cmp.Diff(string(file), shown); diff != "" {
			t.Errorf("%s (-file +page):\n%s", parsed.Name, diff)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
