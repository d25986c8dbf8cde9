package batch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/transform"

	"github.com/jackc/pgx/v5"
)

// late is a connection for reads that comes when something is there to be seen.
type late struct {
	*postgres.Session
	wait func()
}

func (l late) Conn(ctx context.Context) (*pgx.Conn, error) {
	l.wait()
	return l.Session.Conn(ctx)
}

// TestTheNextBatchIsReadWhileOneIsWritten: the read waits until the first batch is being written, and that waits for what comes of the read.
func TestTheNextBatchIsReadWhileOneIsWritten(t *testing.T) {
	for _, passes := range []int{1, 4} {
		t.Run(fmt.Sprint(passes), func(t *testing.T) {
			db := pgtest.Newest(t)
			calls, reads, beside, looking := 0, 0, db.Connect(t), db.Connect(t)
			b := computed(t, db, numbered, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\n",
				func(ctx context.Context, rows []transform.Row) ([]transform.Change, error) {
					if calls++; calls == 2 {
						if _, err := beside.Exec(ctx, "INSERT INTO called VALUES (2)"); err != nil {
							return nil, err
						}
					}
					return twice(ctx, rows)
				})
			b.exec(t, `CREATE TABLE called (n int); CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
				DECLARE until timestamptz := clock_timestamp() + interval '20 s'; BEGIN
					WHILE NOT EXISTS (SELECT FROM called) LOOP
						IF clock_timestamp() > until THEN RAISE EXCEPTION 'nothing is read meanwhile'; END IF;
					END LOOP;
					RETURN NULL;
				END $$`)
			b.exec(t, "CREATE TRIGGER wait BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION wait()")
			made := b.transformed(passes)
			made.Reads = late{b.reads, func() {
				reads++
				pgtest.WaitUntil(t, looking, `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
					AND query LIKE '%backfill_given%' AND pid <> pg_backend_pid() OR EXISTS (SELECT FROM called)`)
			}}
			claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
			must(t, err)
			_, err = b.ledger.Decide(t.Context(), claim, passes, "a test")
			must(t, err)
			claim.Passes = passes
			b.rest(t, made, &claim, 20)
			if n := b.number(t, "SELECT count(*) FROM t WHERE n = id * 2"); n != 100 || reads < 4 {
				t.Fatalf("%d rows are right, %d reads were beside", n, reads)
			}
		})
	}
}

// TestWhatReadsWritesNothing: each read is a transaction that may not, on whichever connection; so a pooler may stand before it.
func TestWhatReadsWritesNothing(t *testing.T) {
	db := pgtest.Newest(t)
	b := computed(t, db, numbered+`; CREATE FUNCTION quiet() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
			IF current_setting('transaction_read_only') = 'off' AND NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 't'::regclass AND mode = 'RowExclusiveLock') THEN
				RAISE EXCEPTION 'it could write';
			END IF;
			RETURN true;
		END $$`, "table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nwhere: quiet()\n", twice)
	b.compute(t, 1, 20)
	if n := b.number(t, "SELECT count(*) FROM t WHERE n = id * 2"); n != 100 {
		t.Fatalf("%d rows are right", n)
	}
}

// TestAWhereThatWrites is told, and not taken for a failover that is waited for.
func TestAWhereThatWrites(t *testing.T) {
	db := pgtest.Newest(t)
	b := computed(t, db, numbered+`; CREATE SEQUENCE s; CREATE FUNCTION counts() RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('s') > 0 $$`,
		"table: t\ntransform: {function: FUNCTION, reads: [n], writes: [n]}\nwhere: counts()\n", twice)
	claim, err := b.ledger.Claim(t.Context(), b.chunk, "me")
	must(t, err)
	_, err = b.transformed(1).Step(t.Context(), b.conn, &claim, 20)
	if failure.Of(err) != failure.Permanent || !strings.Contains(failure.Safe(err), "`where` calls something that writes, which a read may not: SQLSTATE 25006") {
		t.Fatal(err)
	}
}
