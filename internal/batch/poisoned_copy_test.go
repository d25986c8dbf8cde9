package batch_test

import (
	"fmt"
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"pgregory.net/rapid"
)

// TestRowsThatMayNotBeCopiedArePassedOverOnce: as TestRowsArePassedOverOnce, for copies in each way, and moves: over keys of every type, with deaths
// at any time, and a rollback that leaves both tables as before.
func TestRowsThatMayNotBeCopiedArePassedOverOnce(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		tables := db.CreateKeyTables(t)
		b := &bundle{beside: db.Connect(t)}
		b.connect(t, db.URL)
		b.exec(t, "SET synchronous_commit = off")
		for _, table := range tables {
			b.exec(t, fmt.Sprintf(`ALTER TABLE %[1]s ADD victim bool NOT NULL DEFAULT false; CREATE TABLE "to %[2]s" (LIKE %[1]s INCLUDING ALL, CONSTRAINT no_victim CHECK (NOT victim))`, table.Table(), table.Name))
		}
		session := postgres.NewSession(credentials.Fixed(db.URL), "test")
		t.Cleanup(session.Drop)
		b.ledger = ledger.New(session, ledger.Terms{Lease: time.Hour, Heartbeat: time.Hour})
		must(t, b.ledger.Migrate(t.Context()))
		rapid.Check(t, func(r *rapid.T) {
			table := rapid.SampledFrom(tables).Draw(r, "table")
			c := copyOf(r, table)
			b.runner = batch.Runner{Change: c, Timeout: 10 * time.Second}
			b.exec(t, fmt.Sprintf(`UPDATE %s SET victim = false; DELETE FROM "to %s"`, table.Table(), table.Name))
			all := b.fill(t, r, table)
			b.exec(t, "DELETE FROM backfill.rejects")
			nth := fmt.Sprintf("UPDATE %[1]s SET %%s WHERE ctid IN (SELECT ctid FROM %[1]s ORDER BY %[2]s OFFSET $1 LIMIT $2)", table.Table(), table.Columns())
			b.exec(t, fmt.Sprintf(nth, "n = 2"), rapid.Int64Range(0, 20).Draw(r, "first out of scope"), rapid.Int64Range(0, 9).Draw(r, "out of scope"))
			b.exec(t, fmt.Sprintf(nth, "victim = true"), rapid.Int64Range(0, 20).Draw(r, "first victim"), rapid.Int64Range(0, 5).Draw(r, "victims"))
			for _, message := range b.plan(t, r, c) {
				b.claim = b.take(t, message)
				b.passChunk(t, r)
			}
			b.expectCopied(t, r, table, all)
			b.exec(t, fmt.Sprintf("UPDATE %[1]s SET victim = false WHERE ctid IN (SELECT ctid FROM %[1]s WHERE victim LIMIT $1)", table.Table()),
				rapid.Int64Range(0, 5).Draw(r, "mended"))
			b.retry(t, r)
			b.expectCopied(t, r, table, all)
			if c.Undo {
				b.takeBack(t, r)
				left, source := number(t, b.beside, fmt.Sprintf(`SELECT count(*) FROM "to %s"`, table.Name)), number(t, b.beside, "SELECT count(*) FROM "+table.Table())
				if left != 0 || source != all || number(t, b.beside, "SELECT coalesce(sum(conflicts), 0)::bigint FROM backfill.ledger") != 0 {
					r.Fatalf("%d rows are left, %d of %d at the source", left, source, all)
				}
			}
		})
	})
}

// copyOf copies or moves a table into the one beside it.
func copyOf(r *rapid.T, table pgtest.KeyTable) change.Change {
	c := change.Change{Kind: change.Copy, Table: change.Table{Schema: "public", Name: table.Name}, Key: table.Increment().Key, Where: "n < 2",
		ChunkRows: rapid.Int64Range(1, 40).Draw(r, "chunk rows"), Undo: rapid.Bool().Draw(r, "undo"), ErrorBudget: 30}
	c.Copy = &change.Copying{Into: change.Table{Schema: "public", Name: "to " + table.Name}, OnConflict: rapid.SampledFrom(change.OnConflicts()).Draw(r, "conflict"), Key: c.Key}
	for _, column := range c.Key {
		c.Copy.Columns = append(c.Copy.Columns, change.Assignment{Column: column.Name, Type: column.Type, Base: column.Type, Expression: statement.Quote(column.Name)})
		c.Copy.Collations = append(c.Copy.Collations, map[string]string{"natural": "natural_order", "Ignore Case": "ignore_case"}[column.Name])
	}
	c.Copy.Columns = append(c.Copy.Columns, change.Assignment{Column: "n", Type: "integer", Base: "integer", Expression: "n"},
		change.Assignment{Column: "victim", Type: "boolean", Base: "boolean", Expression: "victim"})
	for _, assignment := range c.Copy.Columns {
		c.Copy.Row = append(c.Copy.Row, change.Column{Name: assignment.Column, Type: assignment.Type, Base: assignment.Base})
	}
	if c.Copy.OnConflict == change.Fail && rapid.Bool().Draw(r, "move") {
		c.Kind, c.Row = change.Move, c.Copy.Row
	}
	return c
}

// expectCopied demands that the rows in scope are in the target, but for the victims, and that each of these is rejected.
func (b *bundle) expectCopied(t *testing.T, r *rapid.T, table pgtest.KeyTable, all int64) {
	count := func(sql string) int64 {
		return number(t, b.beside, fmt.Sprintf(sql, table.Table(), `"to `+table.Name+`"`))
	}
	there, source, scope, victims := count("SELECT count(*) FROM %[2]s"), count("SELECT count(*) FROM %[1]s"), count("SELECT count(*) FROM %[1]s WHERE n < 2"), count("SELECT count(*) FROM %[1]s WHERE victim AND n < 2")
	want := scope - victims
	if b.runner.Change.Kind == change.Move {
		want = all - source
		if scope != victims {
			r.Fatalf("%d rows in scope are left, %d of them victims", scope, victims)
		}
	}
	rejected, affected := number(t, b.beside, "SELECT count(*) FROM backfill.rejects"), number(t, b.beside, "SELECT coalesce(sum(affected), 0)::bigint FROM backfill.ledger")
	if there != want || rejected != victims || affected != want {
		r.Fatalf("%d rows are there, %d counted, of %d; %d rejected of %d victims", there, affected, want, rejected, victims)
	}
	if b.runner.Change.Undo && number(t, b.beside, "SELECT coalesce(sum(rows), 0)::bigint FROM backfill.undo") != affected {
		r.Fatal("undo has not every row once")
	}
}
