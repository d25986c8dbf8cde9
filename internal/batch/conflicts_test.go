package batch_test

import (
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

const numbered = `CREATE TABLE t (id int PRIMARY KEY, n int, note text);
	INSERT INTO t SELECT g, g, 'note ' || g FROM generate_series(1, 100) g; ANALYZE t`

// TestARollbackLeavesAloneWhatUsersChanged and names it with what it holds now.
func TestARollbackLeavesAloneWhatUsersChanged(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, numbered, "table: t\nset: {n: n + 1, note: note || '!'}\n")
		before := b.image(t)
		b.forward(t, 40)
		b.exec(t, "UPDATE t SET n = 7000 WHERE id = 7")
		b.exec(t, "UPDATE t SET n = NULL, note = NULL WHERE id = 8")
		b.exec(t, "DELETE FROM t WHERE id = 9")
		b.exec(t, "UPDATE t SET n = n WHERE id = 10") // touched, and yet what the run wrote
		b.exec(t, "UPDATE t SET n = 11, note = 'note 11' WHERE id = 11")
		b.exec(t, "INSERT INTO t VALUES (101, 0, 'new')")
		b.back(t, 25)
		want := append(append([]string{}, before[:6]...), "(7,7000,\"note 7!\")", "(8,,)")
		want = append(append(want, before[9:]...), "(101,0,new)")
		if diff := cmp.Diff(want, b.image(t)); diff != "" {
			t.Fatalf("after the rollback (-want +got):\n%s", diff)
		}
		rows, err := b.beside.Query(t.Context(), "SELECT key[1] || ': ' || array_to_string(was, ', ') || ' -> ' || coalesce(array_to_string(holds, ', ', 'null'), 'gone') "+
			"FROM backfill.conflicts WHERE run = $1 AND found_at IS NOT NULL ORDER BY key[1]::int", theRun)
		must(t, err)
		conflicts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		if diff := cmp.Diff([]string{"7: 7, note 7 -> 7000, note 7!", "8: 8, note 8 -> null, null", "9: 9, note 9 -> gone", "11: 11, note 11 -> 11, note 11"}, conflicts); diff != "" {
			t.Fatalf("conflicts (-want +got):\n%s", diff)
		}
		if restored, noted := b.number(t, "SELECT restored FROM backfill.ledger"), b.number(t, "SELECT conflicts FROM backfill.ledger"); restored != 96 || noted != 4 {
			t.Fatalf("%d restored, %d conflicts", restored, noted)
		}
	})
}

// TestAUserWhoWritesWhileABatchWaits: the batch waits for the user's lock, and finds another value than it had seen.
func TestAUserWhoWritesWhileABatchWaits(t *testing.T) {
	for name, user := range map[string]struct{ sql, after, restored string }{
		"changes the column": {"UPDATE t SET n = 1000 WHERE id = 3", "(3,1001,\"note 3\")", "(3,1000,\"note 3\")"},
		"changes another":    {"UPDATE t SET note = 'mine' WHERE id = 3", "(3,4,mine)", "(3,3,mine)"},
		"deletes the row":    {"DELETE FROM t WHERE id = 3", "(4,5,\"note 4\")", "(4,4,\"note 4\")"},
	} {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, numbered, "table: t\nset: {n: n + 1}\n")
				tx, err := b.beside.Begin(t.Context())
				must(t, err)
				_, err = tx.Exec(t.Context(), user.sql)
				must(t, err)
				committed := make(chan error, 1)
				go func() {
					pgtest.WaitUntil(t, db.Connect(t), "SELECT EXISTS (SELECT FROM pg_stat_activity "+
						"WHERE datname = current_database() AND wait_event_type = 'Lock')")
					committed <- tx.Commit(t.Context())
				}()
				b.forwardPatiently(t)
				must(t, <-committed) // the user's connection is free again
				b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
				if image := b.image(t); image[2] != user.after {
					t.Fatalf("after the run: %s, want %s", image[2], user.after)
				}
				b.back(t, 100)
				if image := b.image(t); image[2] != user.restored {
					t.Fatalf("after the rollback: %s, want %s", image[2], user.restored)
				}
			})
		})
	}
}

// forwardPatiently tries a batch again that gave up on a lock, as a worker does.
func (b *reversal) forwardPatiently(t *testing.T) {
	t.Helper()
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	b.chunk.Send++
	forward := &batch.Forward{Runner: batch.Runner{Change: b.change, Timeout: time.Minute}}
	for done := false; !done; {
		outcome, err := forward.Step(t.Context(), b.conn, &claim, 100)
		if err != nil {
			t.Log(err)
		}
		done = outcome.Done
	}
}

// TestARowThatATriggerKeepsIsNoReasonToStop: a trigger that returns NULL looks like a row that was changed meanwhile.
func TestARowThatATriggerKeepsIsNoReasonToStop(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := reversible(t, db, numbered+`; CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN NEW.note := NEW.note || '*'; RETURN CASE WHEN OLD.id % 10 > 0 THEN NEW END; END $$;
			CREATE TRIGGER keep BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION keep()`, "table: t\nset: {n: n + 1, note: note || '!'}\n")
		b.forward(t, 30)
		if wrong := b.number(t, "SELECT count(*) FROM t WHERE n <> id + (id % 10 > 0)::int"); wrong != 0 {
			t.Fatalf("%d rows are wrong", wrong)
		}
		b.exec(t, "ALTER TABLE t DISABLE TRIGGER keep")
		b.back(t, 30)
		if wrong := b.number(t, "SELECT count(*) FROM t WHERE n <> id OR note <> 'note ' || id"); wrong != 0 {
			t.Fatalf("%d rows are not as before", wrong)
		}
	})
}

// keysOfEveryKind are tables of 300 rows, of which n is the number.
var keysOfEveryKind = map[string]string{
	"composite": `CREATE TABLE t (a uuid, "B b" timestamptz, c bigint, n int, PRIMARY KEY (a, "B b", c));
			INSERT INTO t SELECT md5((g % 3)::text)::uuid, '2024-01-01'::timestamptz + g % 7 * interval '1.000001 s', g, g FROM generate_series(1, 300) g`,
	"text": `CREATE COLLATION odd (provider = icu, locale = 'en-u-kn-true'); CREATE TABLE t (id text COLLATE odd PRIMARY KEY, n int);
			INSERT INTO t SELECT (ARRAY['a"', 'B,', 'ä{', '\'])[1 + g % 4] || g, g FROM generate_series(1, 300) g`,
	"partitioned": `CREATE TABLE t (id bigint, at date, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
			CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-06-01'); CREATE TABLE t2 PARTITION OF t DEFAULT;
			INSERT INTO t SELECT g, '2024-01-01'::date + g, g FROM generate_series(1, 300) g`,
	"both ends of bigint": `CREATE TABLE t (id bigint PRIMARY KEY, n int);
			INSERT INTO t SELECT CASE WHEN g % 2 = 0 THEN -9223372036854775808 + g ELSE 9223372036854775807 - g END, g FROM generate_series(1, 300) g`,
	"smallint":                  `CREATE TABLE t (id smallint PRIMARY KEY, n int); INSERT INTO t SELECT g * 200 - 32700, g FROM generate_series(1, 300) g`,
	"a table that is named old": `CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g, g FROM generate_series(1, 300) g; ALTER TABLE t RENAME TO old`,
}

// TestKeysOfEveryKindAreRestored: composite, text in a collation of its own, partitioned, integers at both ends.
func TestKeysOfEveryKindAreRestored(t *testing.T) {
	for name, ddl := range keysOfEveryKind {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				table := "t"
				if name == "a table that is named old" {
					table = "old"
				}
				b := reversible(t, db, ddl+"; ANALYZE", "table: "+table+"\nset: {n: n + 1}\nwhere: n % 5 > 0\n")
				before := b.image(t)
				b.forward(t, 70)
				if b.number(t, "SELECT affected FROM backfill.ledger") != 240 {
					t.Fatal("the run has not written 240 rows")
				}
				b.back(t, 33)
				if diff := cmp.Diff(before, b.image(t)); diff != "" {
					t.Fatalf("the rollback left a difference (-before +after):\n%.2000s", diff)
				}
			})
		})
	}
}

// TestTheUndoOfARowThatWasNullIsItsKey: no old value is kept where there was none.
func TestTheUndoOfARowThatWasNullIsItsKey(t *testing.T) {
	b := reversible(t, pgtest.Newest(t), `CREATE TABLE t (id bigint PRIMARY KEY, fresh text); INSERT INTO t SELECT g FROM generate_series(1, 6000) g; ANALYZE t`,
		"table: t\nset:\n  fresh: \"'value ' || id\"\n")
	b.forward(t, 2000)
	if kept := b.number(t, "SELECT count(*) FROM backfill.undo WHERE olds IS NOT NULL"); kept != 0 {
		t.Fatalf("%d undo rows hold old values", kept)
	}
	// The first batch has no lower end, so its keys are text.
	if size := b.number(t, "SELECT sum(pg_column_size(steps) + pg_column_size(marks)) / 4000 FROM backfill.undo WHERE steps IS NOT NULL"); size > 5 {
		t.Fatalf("%d bytes a row", size)
	}
	if weighed := b.number(t, "SELECT undo_bytes FROM backfill.ledger"); weighed < 5*6000 {
		t.Fatalf("the ledger says %d bytes", weighed)
	}
}

// TestNothingIsKeptWithUndoOff.
func TestNothingIsKeptWithUndoOff(t *testing.T) {
	b := reversible(t, pgtest.Newest(t), numbered, "table: t\nset: {n: n + 1}\nundo: off\n")
	if bytes := b.forward(t, 40); bytes != 0 || b.number(t, "SELECT count(*) FROM backfill.undo") != 0 {
		t.Fatalf("%d bytes were kept", bytes)
	}
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	if claim.Verdict != ledger.Closed || b.number(t, "SELECT count(*) FROM t WHERE n = id + 1") != 100 {
		t.Fatalf("verdict %s", claim.Verdict)
	}
}
