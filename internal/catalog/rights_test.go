package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/pgtest"
)

// step grants or revokes something, and tells what a definition is then told; ROLE stands for the role.
type step struct{ grant, definition, want string }

const nothing = "SELECT" // is granted

// rights are those of a kind: the tables, what the role has from the start, and one right after the other, up to all that it needs.
var rights = map[string]struct {
	ddl, granted string
	alone        bool // nothing else is told
	steps        []step
}{
	"deletion": {purged, "GRANT SELECT ON t TO ROLE", true, []step{
		{nothing, deletion("on"), lacks("2:8: table", "DELETE, INSERT", "public.t")},
		{nothing, deletion("off"), lacks("2:8: table", "DELETE", "public.t")},
		{"GRANT DELETE ON t TO ROLE", deletion("off"), ""},
		{"GRANT INSERT ON t TO ROLE", deletion("on"), ""},
	}},
	"archive": {filing, "GRANT SELECT, DELETE, INSERT ON t TO ROLE", false, []step{
		{nothing, filedWith("on"), "4:10: archive: old.t: role ROLE may not use the schema"},
		{"GRANT USAGE ON SCHEMA old TO ROLE", filedWith("on"), "4:10: archive: old.t: role ROLE lacks INSERT, SELECT, DELETE; GRANT INSERT, SELECT, DELETE ON old.t TO ROLE"},
		{nothing, filedWith("off"), "4:10: archive: old.t: role ROLE lacks INSERT; GRANT INSERT ON old.t TO ROLE"},
		{"GRANT INSERT ON old.t TO ROLE", filedWith("off"), ""},
		{"GRANT SELECT, DELETE ON old.t TO ROLE", filedWith("on"), ""},
	}},
	"copy": {archived, "GRANT SELECT ON t TO ROLE; GRANT USAGE ON SCHEMA archive TO ROLE", false, []step{
		{nothing, copyOf("", "undo: off"), lacks("2:8: table", "UPDATE (id)", "public.t")},
		{nothing, copyOf("", "undo: off"), lacks("4:9: copy.into", "INSERT", "archive.t")},
		{"GRANT UPDATE (id) ON t TO ROLE", copyOf("on_conflict: update", "undo: on"), lacks("4:9: copy.into", "INSERT, SELECT, UPDATE (n, code), DELETE", "archive.t")},
		{"GRANT INSERT (id, n, code) ON archive.t TO ROLE", copyOf("", "undo: off"), ""},
		{nothing, copyOf("", "undo: on"), lacks("4:9: copy.into", "SELECT, DELETE", "archive.t")},
		{"GRANT SELECT, DELETE ON archive.t TO ROLE", copyOf("on_conflict: nothing", "undo: on"), ""},
		{"GRANT UPDATE (n, code) ON archive.t TO ROLE", copyOf("on_conflict: update", "undo: on"), ""},
		{nothing, copyOf("move: true", "undo: on"), lacks("2:8: table", "DELETE, INSERT", "public.t")},
		{"REVOKE UPDATE (id) ON t FROM ROLE", copyOf("move: true", "undo: off"), lacks("2:8: table", "DELETE", "public.t")},
		{"GRANT DELETE, INSERT ON t TO ROLE", copyOf("move: true", "undo: on"), ""},
		{"REVOKE USAGE ON SCHEMA archive FROM ROLE", copyOf("", "undo: on"), "4:9: copy.into: archive.t: role ROLE may not use the schema; GRANT USAGE ON SCHEMA archive TO ROLE"},
	}},
}

func deletion(undo string) string {
	return "name: a\ntable: t\ndelete: true\nwhere: n < 0\nundo: " + undo + "\n"
}

func filedWith(undo string) string {
	return "name: a\ntable: t\ndelete: true\narchive: old.t\nwhere: n < 0\nundo: " + undo + "\n"
}

func lacks(at, rights, table string) string {
	return fmt.Sprintf("%s: role ROLE lacks %s on %s; GRANT %[2]s ON %[3]s TO ROLE", at, rights, table)
}

// TestRightsOfAKind: a role that lacks some is told which, with the GRANT that mends it.
func TestRightsOfAKind(t *testing.T) {
	t.Parallel()
	for kind, c := range rights {
		t.Run(kind, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				role := "rights_" + strings.ReplaceAll(databaseName(t, db), "test_", "")
				of := func(sql string) string { return strings.ReplaceAll(sql, "ROLE", role) }
				db.Exec(t, c.ddl+"; CREATE ROLE "+role+"; "+of(c.granted))
				t.Cleanup(func() { db.Exec(t, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
				conn := connect(t, db)
				if _, err := conn.Exec(t.Context(), "SET ROLE "+role); err != nil {
					t.Fatal(err)
				}
				for _, s := range c.steps {
					db.Exec(t, of(s.grant))
					_, err := catalog.Resolve(t.Context(), conn, parse(t, s.definition), nil)
					if got, want := fmt.Sprint(err), of(s.want); s.want == "" && err != nil || !strings.Contains(got, want) || c.alone && s.want != "" && got != want {
						t.Errorf("%s\n%s: got %s, want %s", s.definition, s.grant, got, want)
					}
				}
			})
		})
	}
}

func databaseName(t *testing.T, db pgtest.Database) (name string) {
	t.Helper()
	if err := db.Connect(t).QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}
