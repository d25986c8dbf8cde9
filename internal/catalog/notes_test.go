package catalog_test

import (
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

func TestNotes(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"table: customers\nset: {country: upper(country)}": {
			"verify will not look at rows: set.country uses column country, which the run writes or which follows from one that it writes; repeatable: true is your word that it can",
			"foreign key customers_country: each row that is written is looked up in public.countries",
			"trigger customers_touch fires for each row that is written",
		},
		"table: customers\nset: {note: country, day: now()}": {
			"verify will not look at rows: set.day depends on the moment; repeatable: true is your word that it can",
			"a column that is written is indexed (customers_n): each row that is written grows every index of the table",
			"trigger customers_note fires for each row that is written",
			"trigger customers_touch fires for each row that is written",
		},
		"table: customers\nset: {n: careless(n)}\nwhere: random() < 0.5": {
			"set.n is volatile: every row in scope is written, as none can be known to hold its value already; " +
				"a function that always gives the same result should be declared IMMUTABLE",
			"where is volatile: which rows are in scope depends on the moment",
			"a column that is written is indexed (customers_n): each row that is written grows every index of the table",
			"trigger customers_touch fires for each row that is written",
		},
		"table: countries\nset: {name: btrim(name)}": {
			"verify will not look at rows: set.name uses column name, which the run writes or which follows from one that it writes; repeatable: true is your word that it can",
			"a column that is written is indexed (countries_name_key): each row that is written grows every index of the table",
			"foreign key visits_country of public.visits refers to a column that is written: rows there may stop or follow the change",
		},
		"table: codes\nset: {label: v}": {
			"a column that is written is indexed (codes_v): each row that is written grows every index of the table",
		},
		"table: measures\nset: {value: 0}": {"the table has 3 partitions"},
		"table: measures\nset: {value: 0}\nrows: follow": {"the table has 3 partitions",
			"rows: follow finds what comes behind the greatest key (sensor, at): a row that comes later with a smaller key stays as it is"},
		"table: visits\nset: {country_name: NULL}\nrows: follow": {
			"foreign key visits_country: each row that is written is looked up in public.countries",
		},
		"table: visits\nset: {country_name: NULL}\norder: descending": {
			"foreign key visits_country: each row that is written is looked up in public.countries",
		},
		"table: measures\nset: {value: 0}\norder: descending": {"the table has 3 partitions",
			"order: descending begins with the greatest keys (sensor, at): these are the newest rows only where keys grow with time"},
		"table: measures\nset: {value: 0}\norder: ascending": {"the table has 3 partitions"},
		"table: measures_2024\nset: {value: 0}": {
			"the table is a partition of public.measures: rows in other partitions stay as they are",
		},
		"table: users\nset: {visits: 0}": nil,
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, read(t, "testdata/schema.sql"))
		conn := connect(t, db)
		if _, err := conn.Exec(t.Context(), "SET search_path = pg_catalog"); err != nil {
			t.Fatal(err) // so that the names in notes are in full
		}
		for source, want := range cases {
			d := parse(t, "name: a\n"+strings.ReplaceAll(source, "careless", "public.careless"))
			resolved, err := catalog.Resolve(t.Context(), conn, d, nil)
			if err != nil {
				t.Errorf("%s: %v", source, err)
			}
			if diff := cmp.Diff(want, resolved.Notes); diff != "" {
				t.Errorf("%s (-want +got):\n%s", source, diff)
			}
		}
	})
}
