package catalog_test

import (
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
)

const filing = purged + "CREATE SCHEMA old; CREATE TABLE old.t (id bigint, n numeric, code text, at timestamptz, filed_at timestamptz DEFAULT now()); CREATE INDEX ON old.t (id);"

// archives are what stands in the way of an archive; "" and the notes where nothing does.
var archives = map[string]struct {
	ddl, rest, want string
	notes           []string
}{
	"nothing":                {},
	"without undo":           {"DROP INDEX old.t_id_idx", "undo: off", "", nil},
	"a view":                 {"ALTER TABLE old.t RENAME TO u; CREATE VIEW old.t AS SELECT * FROM old.u", "", "4:10: archive: old.t: it is a view, not a table; name the table that holds the rows", nil},
	"no such table":          {"DROP TABLE old.t; CREATE TABLE old.tt (id int)", "", "4:10: archive: old.t does not exist; did you mean public.t?", nil},
	"a rule":                 {"CREATE RULE r AS ON INSERT TO old.t DO ALSO NOTHING", "", "old.t: a rule ON INSERT rewrites what is written", nil},
	"a rule of the rollback": {"CREATE RULE r AS ON DELETE TO old.t DO ALSO NOTHING", "", "old.t: a rule ON DELETE rewrites what is written", nil},
	"that, without undo":     {"CREATE RULE r AS ON DELETE TO old.t DO ALSO NOTHING", "undo: off", "", nil},
	"no index":               {"DROP INDEX old.t_id_idx", "", "old.t: it has no index that begins with [id], so a rollback could not find its rows; CREATE INDEX CONCURRENTLY ON old.t (id), or write undo: off", nil},
	"an index elsewhere":     {"DROP INDEX old.t_id_idx; CREATE INDEX ON old.t (n, id); CREATE INDEX ON old.t (id) WHERE n > 0; CREATE INDEX ON old.t ((id + 1))", "", "old.t: it has no index that begins with [id]", nil},
	"columns are missing":    {"ALTER TABLE old.t DROP n, DROP code", "", "old.t: it lacks columns of the table, whose values would be lost; ALTER TABLE old.t ADD COLUMN n integer, ADD COLUMN code text", nil},
	"another type":           {"ALTER TABLE old.t ALTER code TYPE date USING NULL", "", `old.t: column "code" is of type date but expression is of type text; ALTER TABLE old.t ALTER COLUMN code TYPE text`, nil},
	"nothing fills a column": {"ALTER TABLE old.t ADD who text NOT NULL, ADD by text NOT NULL DEFAULT 'us', ADD nr int GENERATED ALWAYS AS IDENTITY", "", "old.t: nothing fills its NOT NULL columns who; give them a default, for instance DEFAULT now()", nil},
	"a column is generated":  {"ALTER TABLE old.t DROP n; ALTER TABLE old.t ADD n numeric GENERATED ALWAYS AS (id * 2) STORED", "", "old.t: column n is generated there, so it cannot take the row's", nil},
	"cascade":                {"ALTER TABLE child ADD FOREIGN KEY (t) REFERENCES t ON DELETE CASCADE", "", "3:1: delete: foreign key child_t_fkey of public.child is ON DELETE CASCADE", nil},
	"cascade, without undo": {"ALTER TABLE child ADD FOREIGN KEY (t) REFERENCES t ON DELETE CASCADE", "undo: off", "", []string{"the archive does not have the rows of public.child that are changed as well",
		"foreign key child_t_fkey of public.child is ON DELETE CASCADE: rows there are changed as well, are not counted, and cannot be brought back" + slowly}},
}

func TestArchives(t *testing.T) {
	t.Parallel()
	for name, c := range archives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.OnNewest(t, func(t *testing.T, db pgtest.Database) {
				db.Exec(t, filing+c.ddl+"; ANALYZE")
				expectDeletion(t, db, "name: a\ntable: t\ndelete: true\narchive: old.t\nwhere: n < 0\n"+c.rest+"\n", c.want, c.notes)
			})
		})
	}
}

// TestTheTableIsNotItsOwnArchive, nor a part of the same partitioned table.
func TestTheTableIsNotItsOwnArchive(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, `CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
		CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20); CREATE SCHEMA backfill; CREATE TABLE backfill.undo (id int, n int); ANALYZE`)
	for table, archive := range map[string]string{"t": "t", "t_1": "t_2", "t_2": "t"} {
		expectDeletion(t, db, "name: a\ntable: "+table+"\ndelete: true\narchive: "+archive+"\nwhere: n < 0\n",
			"it is the table itself, or a part of the same partitioned table; name a table of its own", nil)
	}
	expectDeletion(t, db, "name: a\ntable: t\ndelete: true\narchive: backfill.undo\nwhere: n < 0\n", "archive: backfill.undo: the schema backfill holds the product's own tables", nil)
}

func TestWhatAnArchiveIs(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, filing+"ALTER TABLE old.t ADD twice bigint; ANALYZE")
		conn := connect(t, db)
		for _, undo := range []string{"on", "off"} {
			resolved, err := catalog.Resolve(t.Context(), conn, parse(t, "name: a\ntable: t\ndelete: true\narchive: old.t\nwhere: n < 0\nundo: "+undo+"\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			at := change.Column{Name: "at", Type: "timestamp with time zone", Base: "timestamp with time zone"}
			want := change.Change{Kind: change.Archived, Table: change.Table{Schema: "public", Name: "t"}, Key: []keyset.Column{{Name: "id", Type: "integer"}},
				Where: "n < 0", ChunkRows: 100_000, Undo: undo == "on",
				Row: []change.Column{{Name: "n", Type: "integer", Base: "integer"}, {Name: "code", Type: "text", Base: "text"}, at},
				Archive: &change.Archive{Table: change.Table{Schema: "old", Name: "t"}, Row: []change.Column{{Name: "id", Type: "bigint", Base: "bigint"},
					{Name: "n", Type: "numeric", Base: "numeric"}, {Name: "code", Type: "text", Base: "text"}, at, {Name: "twice", Type: "bigint", Base: "bigint"}}},
				Verify: &change.Verify{Unfit: change.Archived.Unjudged(), Left: true}}
			if diff := cmp.Diff(want, resolved.Change); diff != "" {
				t.Errorf("undo %s (-want +got):\n%s", undo, diff)
			}
		}
	})
}
