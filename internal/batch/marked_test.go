package batch_test

import (
	"testing"

	"backfill/internal/pgtest"

	"pgregory.net/rapid"
)

// written has Postgres note each row that is written, so that those are counted that users delete afterwards.
const written = `CREATE TABLE written ();
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.written DEFAULT VALUES; RETURN NULL; END $$;`

// mark prepares tables for rows that come and go: `there` tells those that were there all the time from those that came meanwhile.
func mark(t *testing.T, db pgtest.Database, tables []pgtest.KeyTable) {
	t.Helper()
	script := written
	for _, table := range tables {
		script += "ALTER TABLE " + table.Table() + " ADD there boolean NOT NULL DEFAULT false;" +
			"CREATE TRIGGER note AFTER UPDATE OF n ON " + table.Table() + " FOR EACH ROW EXECUTE FUNCTION note();"
	}
	db.Exec(t, script)
}

// fillMarked fills a table with rows that are there from the start.
func (b *bundle) fillMarked(t *testing.T, r *rapid.T, table pgtest.KeyTable) {
	b.fill(t, r, table)
	b.exec(t, "UPDATE "+table.Table()+" SET there = true")
	b.exec(t, "TRUNCATE written")
}

// expectMarked demands that each row which was there all the time was changed once, no other one twice, and that as many were counted as were written.
func (b *bundle) expectMarked(t *testing.T, r *rapid.T, table pgtest.KeyTable, affected int64) {
	of := "SELECT count(*) FROM " + table.Table()
	missed, twice := number(t, b.beside, of+" WHERE n = 0 AND there"), number(t, b.beside, of+" WHERE n NOT IN (0, 1)")
	made, left := number(t, b.beside, "SELECT count(*) FROM written"), number(t, b.beside, "SELECT count(*) FROM backfill.stripes")
	if missed != 0 || twice != 0 || affected != made || left != 0 {
		r.Fatalf("%d rows were missed, %d changed more than once; %d counted of %d; %d stripes are left", missed, twice, affected, made, left)
	}
}
