package catalog_test

import (
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/pgtest"
)

// TestPublications: what Postgres would refuse of each row is refused before the run, and who is told of its writes is noted.
func TestPublications(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL UNIQUE, n int); "
	const partitioned = "CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10); "
	const told = "each row that is written goes to the subscribers of publication p"
	cases := map[string]struct{ ddl, kind, refused, note string }{
		"none":                    {table, "set: {n: 1}", "", ""},
		"of the table":            {table + "CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "", told},
		"of all tables":           {table + "CREATE PUBLICATION p FOR ALL TABLES", "set: {n: 1}", "", told},
		"of the schema":           {table + "CREATE PUBLICATION p FOR TABLES IN SCHEMA public", "set: {n: 1}", "", told},
		"of another table":        {table + "CREATE TABLE o (); CREATE PUBLICATION p FOR TABLE o", "set: {n: 1}", "", ""},
		"of another event":        {table + "CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert, delete')", "set: {n: 1}", "", ""},
		"nothing":                 {table + "ALTER TABLE t REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "publication p tells of each UPDATE, and public.t has no replica identity", ""},
		"nothing, another event":  {table + "ALTER TABLE t REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert')", "set: {n: 1}", "", ""},
		"nothing, deleted":        {table + "ALTER TABLE t REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR TABLE t", "delete: true\nwhere: n > 1", "publication p tells of each DELETE", ""},
		"full":                    {table + "ALTER TABLE t REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "", told},
		"an index":                {table + "ALTER TABLE t REPLICA IDENTITY USING INDEX t_k_key; CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "", told},
		"an index that is gone":   {table + "ALTER TABLE t REPLICA IDENTITY USING INDEX t_k_key; ALTER TABLE t DROP CONSTRAINT t_k_key; CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "publication p tells of each UPDATE", ""},
		"no primary key":          {"CREATE TABLE t (id int NOT NULL UNIQUE, n int); CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}\nkey: id", "has no replica identity", ""},
		"a parent":                {partitioned + "CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "", told},
		"a parent, by its root":   {partitioned + "CREATE PUBLICATION p FOR TABLE t WITH (publish_via_partition_root)", "set: {n: 1}", "", told},
		"a part without identity": {partitioned + "ALTER TABLE t_1 REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR TABLE t", "set: {n: 1}", "public.t_1 has no replica identity", ""},
		"a part, by its root":     {partitioned + "ALTER TABLE t_1 REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR TABLE t WITH (publish_via_partition_root)", "set: {n: 1}", "public.t_1 has no replica identity", ""},
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		for name, c := range cases {
			db.Exec(t, "DROP PUBLICATION IF EXISTS p; DROP TABLE IF EXISTS t, o; "+c.ddl)
			resolved, err := catalog.Resolve(t.Context(), connect(t, db), parse(t, "name: a\ntable: t\n"+c.kind+"\n"), nil)
			if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v", name, err)
			}
			if notes := strings.TrimPrefix(strings.Join(resolved.Notes, "\n"), "the table has 1 partition\n"); notes != c.note {
				t.Errorf("%s: notes are %q", name, notes)
			}
			// Postgres says the same, of the very row.
			write := "INSERT INTO t VALUES (1, 2, 2); UPDATE t SET n = 3; DELETE FROM t"
			if strings.Contains(c.ddl, partitioned) || strings.Contains(c.ddl, "id int NOT NULL UNIQUE") {
				write = "INSERT INTO t VALUES (1, 2); UPDATE t SET n = 3; DELETE FROM t"
			}
			_, refusal := db.Connect(t).PgConn().Exec(t.Context(), write).ReadAll()
			if (refusal == nil) != (c.refused == "") {
				t.Errorf("%s: Postgres says %v", name, refusal)
			}
		}
	})
}
