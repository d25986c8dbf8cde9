package worker_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"

	"golang.org/x/sync/errgroup"
)

// The variables of `make chaos`, which has users make a million writes.
const (
	writesVariable = "BACKFILL_USER_WRITES"
	seedVariable   = "BACKFILL_CHAOS_SEED"
)

// slowly keeps the product's transactions open for a while, so that users meet them.
const slowly = `CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.id % 8 = 0 AND current_setting('application_name') LIKE 'backfill%' THEN PERFORM pg_sleep(0.0002); END IF; RETURN NEW; END $$;
	CREATE TRIGGER slowly BEFORE UPDATE OR INSERT ON counters FOR EACH ROW EXECUTE FUNCTION slowly();
	CREATE FUNCTION slowly_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF OLD.id % 8 = 0 AND current_setting('application_name') LIKE 'backfill%' THEN PERFORM pg_sleep(0.0002); END IF; RETURN OLD; END $$;
	CREATE TRIGGER slowly_gone BEFORE DELETE ON counters FOR EACH ROW EXECUTE FUNCTION slowly_gone();
	ALTER TABLE counters ALTER n TYPE bigint, ALTER note DROP NOT NULL; CREATE TABLE step AS SELECT 1 AS one; CREATE TABLE gone (LIKE counters); CREATE INDEX ON gone (id)`

// TestUsersAtWork: users insert, change and delete rows while runs and their rollbacks go over them. Their journal
// explains every value, every row that a run wrote is restored or named as a conflict, and no write is lost.
func TestUsersAtWork(t *testing.T) {
	writes, seed := variable(t, writesVariable, 3_000), variable(t, seedVariable, int(rand.Int32()))
	t.Logf("%d writes; again with %s=%d", writes, seedVariable, seed)
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := setup(t, db, counters)
		db.Exec(t, slowly)
		users := b.users(t, 4, uint64(seed))
		var sum tally
		for i := 0; sum.writes < writes/2 || i < len(cycles); i++ { // half of them on each of two servers
			sum.add(b.cycle(t, users, cycles[i%len(cycles)]))
		}
		t.Logf("%d writes of users, %d of them to the column that runs write; %d rows restored, %d conflicts",
			sum.writes, sum.changes, sum.restored, sum.conflicts)
		if sum.restored == 0 || sum.conflicts == 0 {
			t.Fatal("users and product did not meet")
		}
	})
}

func variable(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q, want a number", name, text)
	}
	return number
}

// striped is the size of chunks that are gone over in passes.
const striped = 10_000

// cycles are the runs that users meet.
var cycles = func() []change.Change {
	kept, purge := counters, deleted
	kept.Undo, kept.ChunkRows, purge.ChunkRows = true, 500, 500
	kept.Set = []change.Assignment{{Column: "n", Type: "bigint", Base: "bigint", Expression: "n + 1"}}
	purge.Row = []change.Column{{Name: "n", Type: "bigint", Base: "bigint"}, deleted.Row[1]}
	passes := kept
	passes.ChunkRows = striped
	moved, movedInPasses := incremented, incremented
	moved.Function, movedInPasses.Function = incrementing("bigint"), incrementing("bigint")
	moved.ChunkRows, movedInPasses.ChunkRows = 500, striped
	joined := passes // by one row, which all of them find
	joined.Kind, joined.Join = change.Joined, &change.Join{From: []change.Source{{Alias: "s", Table: change.Table{Schema: "public", Name: "step"}}}, On: "true"}
	joined.Set = []change.Assignment{{Column: "n", Type: "bigint", Base: "bigint", Expression: "n + s.one"}}
	archive := purge
	archive.Kind, archive.Archive = change.Archived, &change.Archive{Table: change.Table{Schema: "public", Name: "gone"},
		Row: []change.Column{{Name: "id", Type: "bigint", Base: "bigint"}, purge.Row[0], purge.Row[1]}}
	return []change.Change{kept, passes, purge, moved, movedInPasses, joined, archive}
}()

// cycle is one run and its rollback, beside users.
func (b *bundle) cycle(t *testing.T, users []*user, kept change.Change) tally {
	t.Helper()
	b.exec(t, "TRUNCATE backfill.runs, backfill.ledger, backfill.undo, backfill.conflicts, backfill.stripes")
	_, err := b.ledger.Open(t.Context(), ledger.Run{Run: theRun, Backfill: "test", Change: kept, Bound: b.chunk.Range.Hi})
	must(t, err)
	all := begin(b.present(t), kept.Kind)
	writes := during(t, users, func() { b.workThrough(t, b.chunks(t, kept)) })
	changes := all.follow(t, users, b.present(t), false)
	b.expectPasses(t, kept.ChunkRows == striped)
	b.expectApplied(t, all)
	writes += during(t, users, func() {
		b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
		_, err := b.ledger.Reverse(t.Context(), theRun, "arn", nil)
		must(t, err)
		b.workThrough(t, b.due(t))
	})
	changes += all.follow(t, users, b.present(t), true)
	sum := b.expectNamed(t, all)
	sum.writes, sum.changes = writes, changes
	return sum
}

// expectPasses demands that the chunks were gone over in passes, or that none was.
func (b *bundle) expectPasses(t *testing.T, wanted bool) {
	t.Helper()
	var other, left int64
	var why string
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE (coalesce(passes, 1) > 1) <> $1), (SELECT count(*) FROM backfill.stripes), coalesce(max(passes_reason), '') FROM backfill.ledger",
		wanted).Scan(&other, &left, &why))
	if other != 0 || left != 0 {
		t.Fatalf("passes wanted: %v; %d chunks were gone over in another way (%s), %d stripes are left", wanted, other, why, left)
	}
}

func (b *bundle) users(t *testing.T, count int64, seed uint64) []*user {
	users := make([]*user, count)
	for i := range users {
		users[i] = newUser(b.db.Connect(t), seed, int64(i), count, rows)
	}
	return users
}

// during has users write until the product is done, and tells how many writes they made.
func during(t *testing.T, users []*user, product func()) int {
	t.Helper()
	var made atomic.Int64
	var done atomic.Bool
	var group errgroup.Group
	for _, u := range users {
		u.journal = nil
		group.Go(func() error {
			for !done.Load() {
				rows, err := u.transact(t.Context())
				if err != nil {
					return err
				}
				made.Add(int64(rows))
			}
			return nil
		})
	}
	product()
	done.Store(true)
	must(t, group.Wait())
	return int(made.Load())
}

func (b *bundle) chunks(t *testing.T, c change.Change) []chunk.Message {
	t.Helper()
	window, err := boundary.Cut(t.Context(), b.conn, c, nil, b.chunk.Range.Hi, 100)
	must(t, err)
	messages := make([]chunk.Message, len(window.Ranges))
	for i, cut := range window.Ranges {
		messages[i] = chunk.Chunk{Run: theRun, Number: int64(i) + 1, Range: cut}.Message(1)
	}
	return messages
}

// due lists what a governor would send.
func (b *bundle) due(t *testing.T) []chunk.Message {
	t.Helper()
	_, again, err := b.ledger.Beat(t.Context(), theRun, 1000)
	must(t, err)
	messages := make([]chunk.Message, len(again))
	for i, a := range again {
		messages[i] = chunk.Message{Run: theRun, Chunk: a.Chunk, Lo: a.Lo, Hi: a.Hi, Send: a.Send}
	}
	return messages
}

// workThrough has two workers take the chunks, and what they gave back, until none is left.
func (b *bundle) workThrough(t *testing.T, messages []chunk.Message) {
	t.Helper()
	for len(messages) > 0 {
		queue := make(chan chunk.Message, len(messages))
		for _, message := range messages {
			queue <- message
		}
		close(queue)
		var workers sync.WaitGroup
		for range 2 {
			worker := b.worker(t, b.db.URL)
			workers.Go(func() {
				for message := range queue {
					if err := worker.Work(context.Background(), message); err != nil {
						t.Error(err)
					}
				}
			})
		}
		workers.Wait()
		b.exec(t, "UPDATE backfill.ledger SET not_before = NULL")
		messages = b.due(t)
	}
}
