package runtest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// width is the number of keys in a chunk: chunk n is (100(n-1), 100n].
const width = 100

// Begin opens the run, over so many chunks, and brings it to RUNNING. Nothing is planned yet.
func (b *Bench) Begin(t testing.TB, chunks int64) {
	t.Helper()
	ctx := context.Background()
	opened, err := b.Ledger.Open(ctx, ledger.Run{
		Run: ID, Backfill: "users", Definition: "name: users", Execution: Execution, Bound: end(chunks), Estimated: chunks * width,
		Change: change.Change{Kind: change.Set, Table: change.Table{Schema: "public", Name: "users"},
			Key: []keyset.Column{{Name: "id", Type: "bigint"}}, ChunkRows: width,
			Throttle: Unlimited()}, // the server is shared with other tests
	})
	must(t, err)
	must(t, b.Records.CreateRun(ctx, run.Status{Run: ID, Backfill: "users", Action: "start", State: run.Planning,
		Rows: run.Rows{Estimated: opened.Estimated}, StartedAt: opened.StartedAt.UTC(), UpdatedAt: opened.Now.UTC()}, Execution))
	_, err = b.Ledger.Move(ctx, ID, run.Planning, run.Running)
	must(t, err)
	must(t, b.Records.SetState(ctx, ID, run.Running, ""))
}

// RollBack begins a rollback of chunks, none named means all of them, as the planner does.
func (b *Bench) RollBack(t testing.TB, chunks ...int64) {
	t.Helper()
	stored, err := b.Ledger.Reverse(context.Background(), ID, Later, chunks)
	must(t, err)
	must(t, b.Records.Reopen(context.Background(), ID, stored.Action, stored.State, Later))
}

// Commit plans chunks up to the last, and sends nothing. The plan is closed where they reach the bound.
func (b *Bench) Commit(t testing.TB, last int64) records.Page {
	t.Helper()
	record := b.Record(t)
	stored, err := b.Ledger.Run(context.Background(), ID)
	must(t, err)
	page := records.Page{Run: ID, After: record.Plan.Planned, Closed: end(last).Same(stored.Bound)}
	for n := page.After + 1; n <= last; n++ {
		page.Chunks = append(page.Chunks, chunk.Chunk{Run: ID, Number: n, Range: keyset.Range{Lo: end(n - 1), Hi: end(n)}})
	}
	must(t, b.Records.CommitPage(context.Background(), page))
	return page
}

// Plan plans chunks up to the last and sends them; the queue forgets them, as if they were received.
func (b *Bench) Plan(t testing.TB, last int64) {
	t.Helper()
	must(t, b.Dispatcher.SendPage(context.Background(), b.Commit(t, last)))
	b.Queue.Take()
}

// end is the last key of chunk n; nil before the first.
func end(n int64) keyset.Point {
	if n == 0 {
		return nil
	}
	return keyset.Point{strconv.FormatInt(n*width, 10)}
}

// Claim claims a chunk by a send of that number.
func (b *Bench) Claim(t testing.TB, n, send int64) ledger.Claim {
	t.Helper()
	claim, err := b.Ledger.Claim(context.Background(), chunk.Message{Run: ID, Chunk: n, Lo: end(n - 1), Hi: end(n), Send: send}, "worker")
	must(t, err)
	if claim.Verdict != ledger.Claimed {
		t.Fatalf("claim of chunk %d: %s (%s)", n, claim.Verdict, claim.Reason)
	}
	return claim
}

// Finish completes chunks in the ledger, each in one batch of all its keys; the records are not told.
func (b *Bench) Finish(t testing.TB, numbers ...int64) {
	t.Helper()
	for _, n := range numbers {
		claim := b.Claim(t, n, 1)
		sql, args := claim.Advance(ledger.Step{Keys: width, Reached: end(n), Done: true, Timeout: time.Minute})
		_, err := b.Conn.Exec(context.Background(), sql, args...)
		must(t, postgres.Classify(err))
		b.Exec(t, "UPDATE backfill.ledger SET affected = scanned - 1 WHERE run = $1 AND chunk = $2", ID, n)
	}
}

// GiveBack has a worker leave a chunk in order, not to be claimed before the pause is over.
func (b *Bench) GiveBack(t testing.TB, n int64, pause time.Duration) {
	t.Helper()
	_, err := b.Ledger.Release(context.Background(), b.Claim(t, n, 1), pause, "deadline")
	must(t, err)
}

// Fail has a worker stop a chunk with a reason.
func (b *Bench) Fail(t testing.TB, n int64, reason string) {
	t.Helper()
	_, err := b.Ledger.Fail(context.Background(), b.Claim(t, n, 1), reason)
	must(t, err)
}

// Die lets every lease run out, as when the workers are gone.
func (b *Bench) Die(t testing.TB) {
	t.Helper()
	b.Exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() - interval '1 ms' WHERE lease_until IS NOT NULL")
}

// Record reads DynamoDB's record of the run.
func (b *Bench) Record(t testing.TB) records.Record {
	t.Helper()
	record, err := b.Records.Run(context.Background(), ID)
	must(t, err)
	return record
}

// Expiring counts the items that expire: of a run that has ended its record and its chunks.
func (b *Bench) Expiring(t testing.TB) int32 {
	t.Helper()
	found, err := b.Client.Scan(context.Background(), &dynamodb.ScanInput{TableName: &b.Table, FilterExpression: aws.String("attribute_exists(expires)")})
	must(t, err)
	return found.Count
}

// Expect demands the state and reason of the run, in Postgres and in DynamoDB alike.
func (b *Bench) Expect(t testing.TB, state run.State, reason string) {
	t.Helper()
	stored, err := b.Ledger.Run(context.Background(), ID)
	must(t, err)
	if stored.State != state || stored.Reason != reason {
		t.Errorf("the ledger says %s (%s), want %s (%s)", stored.State, stored.Reason, state, reason)
	}
	if status := b.Record(t).Status; status.State != state || status.Reason != reason {
		t.Errorf("the record says %s (%s), want %s (%s)", status.State, status.Reason, state, reason)
	}
}

// Unlimited has every signal shown only.
func Unlimited() signal.Limits {
	limits := signal.Limits{}
	for _, name := range signal.Names() {
		limits[name] = signal.Off
	}
	return limits
}
