package catalog_test

import (
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/pgtest"
)

// TestWhichRowsAreVerifiedByValue: those whose value follows from what the run leaves alone, and by a person's word.
func TestWhichRowsAreVerifiedByValue(t *testing.T) {
	t.Parallel()
	const feeds = ", which the run writes or which follows from one that it writes"
	cases := map[string]string{
		"set: {c: lower(a)}": "",
		"set: {c: lower(a), n: id * 2}\nwhere: a IS NOT NULL": "",
		"set: {c: (SELECT max(v) FROM other WHERE k = t.id)}": "set.c names the table itself",
		"set: {c: (SELECT max(v) FROM other WHERE k = id)}":   "",
		"set: {c: c || 'x'}":                                                  "set.c uses column c" + feeds,
		"set: {c: lower(a), n: length(c)}":                                    "set.n uses column c" + feeds,
		"set: {n: g + 1}":                                                     "set.n uses column g" + feeds,
		"set: {c: (SELECT u.c FROM t u WHERE u.id = 1)}":                      "set.c names the table itself",
		"set: {c: to_jsonb(t)::text}":                                         "set.c names the table itself",
		"set: {c: ctid::text}":                                                "set.c uses column ctid" + feeds,
		"set: {c: lower(a)}\nwhere: c IS NULL":                                "where uses column c" + feeds,
		"set: {c: lower(a)}\nwhere: seen < now()":                             "where depends on the moment",
		"set: {seen: CURRENT_TIMESTAMP}":                                      "set.seen depends on the moment",
		"set: {c: gen_random_uuid()::text}":                                   "an expression is volatile, so what a row should hold cannot be worked out again",
		"set: {c: lower(a)}\nwhere: random() < 2":                             "an expression is volatile, so what a row should hold cannot be worked out again",
		"set: {c: lower(a)}\nwhere: c IS NULL\nrepeatable: true":              "",
		"set: {n: abs(n)}\nrepeatable: true":                                  "",
		"delete: true\nwhere: a IS NULL":                                      "its rows are gone from the table",
		"set: {c: o.v}\nfrom: {o: other}\njoin: o.k = t.id":                   "what a row should hold stands in other tables, which may have changed since",
		"delete: true\narchive: old\nwhere: a IS NULL":                        "its rows are gone from the table",
		"copy: {into: kept}":                                                  "its rows are in another table, and applications may have changed both since",
		"copy: {into: kept, move: true}":                                      "its rows are gone from the table",
		"transform: {function: a-function, reads: [a], writes: [c]}":          "what a row should hold only its Go function can tell",
		"set: {c: lower(a)}\nverify: SELECT count(*) = 0 FROM t WHERE c <> a": "",
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, `CREATE TABLE t (id bigint PRIMARY KEY, a text, c text, n bigint, g bigint GENERATED ALWAYS AS (n + 1) STORED, seen timestamptz);
			CREATE TABLE other (k bigint, v text); CREATE TABLE old (id bigint PRIMARY KEY, a text, c text, n bigint, g bigint, seen timestamptz);
			CREATE TABLE kept (id bigint PRIMARY KEY, a text, c text, n bigint, seen timestamptz)`)
		conn := connect(t, db)
		for source, unfit := range cases {
			resolved, err := catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: t\n"+source), nil)
			if err != nil {
				t.Errorf("%s: %v", source, err)
				continue
			}
			verify := resolved.Change.Verify
			if verify.Unfit != unfit || verify.Values != (unfit == "") {
				t.Errorf("%s: values %t, unfit %q, want %q", source, verify.Values, verify.Unfit, unfit)
			}
		}
	})
}
