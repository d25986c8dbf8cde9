package repair_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/repair"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/jackc/pgx/v5"
)

// drains is a run of 450 chunks of which five are planned, and its stack's dead-letter queue.
type drains struct {
	*bundle
	letters *runtest.Letters
	drainer repair.Drainer
}

func setupDrain(t *testing.T) *drains {
	t.Helper()
	b := &drains{bundle: setup(t), letters: &runtest.Letters{}}
	b.drainer = repair.Drainer{Letters: b.letters, Ledger: b.Ledger, Records: b.Records}
	b.Plan(t, 5)
	return b
}

// letter is the message of a send.
func (b *drains) letter(t *testing.T, number, send int64) *chunk.Message {
	t.Helper()
	found, err := b.Records.Chunks(t.Context(), runtest.ID, []int64{number})
	must(t, err)
	message := chunk.Chunk{Run: runtest.ID, Number: number, Range: found[0].Range}.Message(send)
	return &message
}

// drain drains letters, all of which have to be gone then.
func (b *drains) drain(t *testing.T, letters ...*chunk.Message) {
	t.Helper()
	b.letters.Put(letters...)
	must(t, b.drainer.Drain(t.Context()))
	if left := b.letters.Left(); left > 0 {
		t.Fatalf("%d letters are left", left)
	}
}

// state is how chunk 3 stands; "": nobody has claimed it.
func (b *drains) state(t *testing.T) (state, reason string) {
	t.Helper()
	err := b.Conn.QueryRow(t.Context(), "SELECT state, reason FROM backfill.ledger WHERE chunk = 3").Scan(&state, &reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ""
	}
	must(t, err)
	return state, reason
}

// log is the last line of the run's log.
func (b *drains) log(t *testing.T) (line string) {
	t.Helper()
	must(t, b.Conn.QueryRow(t.Context(), "SELECT detail FROM backfill.changes ORDER BY n DESC LIMIT 1").Scan(&line))
	return line
}

// TestADeadLetterFailsItsChunk, where it is the newest send and nobody holds the chunk. A resume sends it again.
func TestADeadLetterFailsItsChunk(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(b *drains) int64{
		"nobody ever claimed it": func(*drains) int64 { return 1 },
		"its worker died": func(b *drains) int64 {
			b.Claim(t, 3, 1)
			b.Die(t)
			return 1
		},
		"it was sent after a resume": func(b *drains) int64 {
			b.Exec(t, "UPDATE backfill.runs SET resumed_at = clock_timestamp() - interval '1 hour'")
			return 1
		},
		"it was sent again, and is dead as well": func(b *drains) int64 {
			b.GiveBack(t, 3, 0)
			b.repair(t)
			return 2
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupDrain(t)
			send := before(b)
			b.drain(t, b.letter(t, 3, send))
			if state, reason := b.state(t); state != "FAILED" || !strings.Contains(reason, "received as often as the queue allows") {
				t.Fatalf("chunk 3 is %s: %s", state, reason)
			}
			if line := b.log(t); !strings.HasPrefix(line, "chunk 3 FAILED: its message was received") {
				t.Errorf("the log says %s", line)
			}
			claim, err := b.Ledger.Claim(t.Context(), *b.letter(t, 3, send), "late")
			must(t, err)
			if claim.Verdict != ledger.Broken {
				t.Errorf("a delivery that comes late is %s", claim.Verdict)
			}
			_, err = b.Ledger.Close(t.Context(), runtest.ID, runtest.Execution, run.Failed, "chunk 3 failed")
			must(t, err)
			_, _, err = b.Ledger.Finish(t.Context(), runtest.ID)
			must(t, err)
			_, err = b.Ledger.Revive(t.Context(), runtest.ID, runtest.Later)
			must(t, err)
			if sent := b.repair(t); !slices.Contains(sent, [2]int64{3, send + 1}) {
				t.Errorf("sent after a resume: %v", sent)
			}
		})
	}
}

// TestDeadLettersAreCounted as they are drained: nobody else sees that they were there.
func TestDeadLettersAreCounted(t *testing.T) {
	t.Parallel()
	b, gauges := setupDrain(t), runtest.NewGauges()
	b.drainer.Gauges = gauges.Writer
	b.drain(t)
	if lines := gauges.Lines(t); len(lines) != 0 {
		t.Errorf("%v", lines)
	}
	b.drain(t, b.letter(t, 3, 1), nil)
	gauges.Expect(t, map[string]any{"DeadLetters": 2.0, "Stack": "stack"})
}

// TestADeadLetterOfAChunkThatHasGoneOnChangesNothing but the log.
func TestADeadLetterOfAChunkThatHasGoneOnChangesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, b *drains)
		want   string // state of chunk 3
	}{
		"a worker holds it":         {func(t *testing.T, b *drains) { b.Claim(t, 3, 1) }, "PROCESSING"},
		"it is done":                {func(t *testing.T, b *drains) { b.Finish(t, 3) }, "COMPLETED"},
		"it was given back":         {func(t *testing.T, b *drains) { b.GiveBack(t, 3, time.Hour) }, "PENDING"},
		"it has failed":             {func(t *testing.T, b *drains) { b.Fail(t, 3, "SQLSTATE 22012") }, "FAILED"},
		"its run was resumed since": {func(t *testing.T, b *drains) { b.Exec(t, "UPDATE backfill.runs SET resumed_at = clock_timestamp()") }, ""},
		"its run was resumed since it was given back": {func(t *testing.T, b *drains) {
			b.GiveBack(t, 3, 0)
			b.repair(t)
			b.Exec(t, "UPDATE backfill.ledger SET sent = send; UPDATE backfill.runs SET resumed_at = clock_timestamp()") // as a resume does
		}, "PENDING"},
		"its lease ran out, and it was sent again": {func(t *testing.T, b *drains) { b.Claim(t, 3, 1); b.Die(t); b.repair(t) }, "PROCESSING"},
		"it was lost, and sent again": {func(t *testing.T, b *drains) {
			b.Clock.Pass(ledger.Lost + every)
			b.repair(t)
		}, ""},
		"it has other boundaries": {func(t *testing.T, b *drains) {
			b.Claim(t, 3, 1)
			b.Die(t)
			b.Exec(t, "UPDATE backfill.ledger SET hi = '{222}'")
		}, "PROCESSING"},
		"the run is paused": {func(t *testing.T, b *drains) {
			_, err := b.Ledger.Pause(t.Context(), runtest.ID, "", "paused")
			must(t, err)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupDrain(t)
			c.before(t, b)
			_, reason := b.state(t)
			b.drain(t, b.letter(t, 3, 1))
			if state, now := b.state(t); state != c.want || now != reason {
				t.Fatalf("chunk 3 is %s (%s), want %s (%s)", state, now, c.want, reason)
			}
			if line := b.log(t); !strings.HasPrefix(line, "chunk 3 found in the dead-letter queue") {
				t.Errorf("the log says %s", line)
			}
		})
	}
}

// TestOneQueueServesAllRuns: letters of another run are dealt with, those of one that has ended or that nobody knows go.
func TestOneQueueServesAllRuns(t *testing.T) {
	t.Parallel()
	b := setupDrain(t)
	for id, ended := range map[string]string{"other": "NULL", "over": "now()"} {
		b.Exec(t, `INSERT INTO backfill.runs (run, backfill, execution, target, definition, change, state, ended_at)
			VALUES ($1, 'orders', 'arn:other', $1, '', '{}', 'RUNNING', `+ended+")", id)
	}
	var letters []*chunk.Message
	for _, id := range []string{"other", "over", "nobody"} {
		letters = append(letters, &chunk.Message{Run: id, Chunk: 7, Hi: keyset.Point{"9"}, Send: 1})
	}
	b.drain(t, append(letters, nil)...)
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE run = 'other' AND chunk = 7 AND state = 'FAILED'"); n != 1 {
		t.Error("the chunk of the other run is not FAILED")
	}
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger") + b.Number(t, "SELECT count(*) FROM backfill.changes WHERE cause <> ''"); n != 2 {
		t.Errorf("%d rows of ledger and log", n)
	}
}

// TestADeadLetterStaysUntilPostgresHasIt: nothing is deleted that was not decided.
func TestADeadLetterStaysUntilPostgresHasIt(t *testing.T) {
	t.Parallel()
	b := setupDrain(t)
	b.letters.Put(b.letter(t, 3, 1), b.letter(t, 4, 1))
	b.Exec(t, "ALTER TABLE backfill.ledger ADD CONSTRAINT refused CHECK (chunk <> 3)")
	if err := b.drainer.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), "dead letter of chunk 3") {
		t.Fatal(err)
	}
	if left := b.letters.Left(); left != 1 {
		t.Fatalf("%d are left", left)
	}
	b.Exec(t, "ALTER TABLE backfill.ledger DROP CONSTRAINT refused")
	b.letters.Reappear()
	b.drain(t)
	if state, _ := b.state(t); state != "FAILED" {
		t.Errorf("chunk 3 is %s", state)
	}
}

// TestOneBeatDrainsAHundred; the rest comes with the next.
func TestOneBeatDrainsAHundred(t *testing.T) {
	t.Parallel()
	b := setupDrain(t)
	b.letters.Put(make([]*chunk.Message, 104)...)
	must(t, b.drainer.Drain(t.Context()))
	if left := b.letters.Left(); left != 4 {
		t.Fatalf("%d are left", left)
	}
}

// TestADeadLetterIsDecidedByTheLedgerOfItsDatabase: that of the run which is watched knows no other's, and would let them go. What cannot be
// decided comes again, and one database that does not answer is asked once.
func TestADeadLetterIsDecidedByTheLedgerOfItsDatabase(t *testing.T) {
	t.Parallel()
	b, orders := setupDrain(t), setupDrain(t)
	asked := map[string]int{}
	b.drainer.Others = func(_ context.Context, database string) (repair.Graves, error) {
		if asked[database]++; database != "orders" {
			return nil, failure.New(failure.Permanent, "database %q: the stack has no such database", database)
		}
		return orders.Ledger, nil
	}
	of := func(number int64, database string) *chunk.Message {
		message := b.letter(t, number, 1)
		message.Database = database
		return message
	}
	b.letters.Put(of(3, "orders"), of(3, "gone"), of(4, "gone"))
	if err := b.drainer.Drain(t.Context()); err == nil || !strings.Contains(err.Error(), `database "gone"`) {
		t.Fatal(err)
	}
	if state, _ := orders.state(t); state != "FAILED" {
		t.Errorf("chunk 3 of orders is %s", state)
	}
	if state, _ := b.state(t); state != "" {
		t.Errorf("chunk 3 of the stack's own is %s", state)
	}
	if left := b.letters.Left(); left != 2 || asked["gone"] != 1 {
		t.Errorf("%d letters are left, gone was asked for %d times", left, asked["gone"])
	}
	b.letters.Reappear()
	b.drainer.Others = func(context.Context, string) (repair.Graves, error) { return orders.Ledger, nil }
	b.drain(t)
}
