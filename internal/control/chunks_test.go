package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/pgtest"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// chunkPage is a page of chunks, and its size.
type chunkPage struct {
	Chunks []listed
	Next   int64
	size   int
}

// listed is a chunk under the fixed names.
type listed struct {
	Chunk     int64      `json:"chunk"`
	State     string     `json:"state"`
	Lo        []string   `json:"lo"`
	Hi        []string   `json:"hi"`
	Scanned   int64      `json:"scanned"`
	Affected  int64      `json:"affected"`
	Restored  int64      `json:"restored"`
	Conflicts int64      `json:"conflicts"`
	Fence     int64      `json:"fence"`
	Retries   int64      `json:"retries"`
	Passes    int64      `json:"passes"`
	Reason    string     `json:"reason"`
	UpdatedAt *time.Time `json:"updated_at"`
	NotBefore *time.Time `json:"not_before"`
	Rejected  int64      `json:"rejected"`
}

func (b *bundle) chunks(t *testing.T, more string) (page chunkPage) {
	t.Helper()
	answer, err := b.ask(t, "read", `{"action":"chunks","run":"run-1"`+more+`}`)
	must(t, err)
	decoder := json.NewDecoder(strings.NewReader(answer))
	decoder.DisallowUnknownFields()
	must(t, decoder.Decode(&page))
	page.size = len(answer)
	return page
}

// TestChunksAreListedAsTheyStand: claimed or not, with what Postgres knows of them, and with the plan's boundaries where
// it knows nothing yet.
func TestChunksAreListedAsTheyStand(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		bench := runtest.On(t, db)
		b := &bundle{Bench: bench}
		b.control = controlOver(bench, nil)
		b.Begin(t, 7)
		b.Plan(t, 6)
		b.Finish(t, 1)
		b.Fail(t, 2, "SQLSTATE 22P02")
		b.GiveBack(t, 3, time.Hour)
		b.Claim(t, 4, 1)
		b.Claim(t, 5, 1)
		b.Exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() WHERE chunk = 5")
		b.Exec(t, "UPDATE backfill.ledger SET passes = 16, retries = 2, restored = 3, conflicts = 4, rejected = 5, reason = 'deadline', not_before = clock_timestamp() + interval '1 h' WHERE chunk = 1")
		b.Exec(t, "UPDATE backfill.ledger SET reason = 'backing off', not_before = clock_timestamp() + interval '1 h' WHERE chunk = 4")
		page := b.chunks(t, "")
		for i, c := range page.Chunks {
			if claimed := i < 5; claimed != (c.UpdatedAt != nil) {
				t.Errorf("chunk %d was updated at %v", c.Chunk, c.UpdatedAt)
			}
			if waits := c.Chunk == 3 || c.Chunk == 4; waits != (c.NotBefore != nil) {
				t.Errorf("chunk %d is not to be claimed before %v", c.Chunk, c.NotBefore)
			}
			page.Chunks[i].UpdatedAt, page.Chunks[i].NotBefore = nil, nil
		}
		want := []listed{
			{Chunk: 1, State: "COMPLETED", Hi: []string{"100"}, Scanned: 100, Affected: 99, Restored: 3, Conflicts: 4, Rejected: 5, Fence: 1, Retries: 2, Passes: 16},
			{Chunk: 2, State: "FAILED", Lo: []string{"100"}, Hi: []string{"200"}, Fence: 1, Reason: "SQLSTATE 22P02"},
			{Chunk: 3, State: "PENDING", Lo: []string{"200"}, Hi: []string{"300"}, Fence: 1, Reason: "deadline"},
			{Chunk: 4, State: "PROCESSING", Lo: []string{"300"}, Hi: []string{"400"}, Fence: 1, Reason: "backing off"},
			{Chunk: 5, State: "PROCESSING", Lo: []string{"400"}, Hi: []string{"500"}, Fence: 1, Reason: "lease expired"},
			{Chunk: 6, State: "PENDING", Lo: []string{"500"}, Hi: []string{"600"}},
		}
		if diff := cmp.Diff(want, page.Chunks); diff != "" || page.Next != 0 {
			t.Errorf("next %d: %s", page.Next, diff)
		}
	})
}

func TestChunksComeInPagesAndByState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 2)
	for more, want := range map[string]string{
		``: "[1 2 3] 0", `,"limit":2`: "[1 2] 2", `,"limit":2,"after":2`: "[3] 0", `,"limit":3`: "[1 2 3] 0", `,"after":3`: "[] 0", `,"after":9`: "[] 0",
		`,"state":"PENDING"`: "[1 3] 0", `,"state":"PENDING","limit":1`: "[1] 1", `,"state":"PENDING","limit":1,"after":1`: "[3] 0",
		`,"state":"COMPLETED"`: "[2] 0", `,"state":"FAILED"`: "[] 0",
	} {
		page := b.chunks(t, more)
		numbers := []int64{}
		for _, c := range page.Chunks {
			numbers = append(numbers, c.Chunk)
		}
		if got := fmt.Sprint(numbers, page.Next); got != want || page.Chunks == nil {
			t.Errorf("%s: %s, want %s", more, got, want)
		}
	}
	for _, bad := range []string{`"run":"run-1","limit":1001`, `"run":"run-1","limit":-1`, `"run":"run-1","after":-1`, `"limit":3`, `"run":"nobody"`,
		`"run":"run-1","state":"failed"`, `"run":"run-1","state":"LOST"`} {
		b.refused(t, "read", `{"action":"chunks",`+bad+`}`)
	}
}

// TestChunksThatAreOnlyPlanned are more than DynamoDB reads at once.
func TestChunksThatAreOnlyPlanned(t *testing.T) {
	t.Parallel()
	b := &bundle{Bench: runtest.New(t)}
	b.control = controlOver(b.Bench, nil)
	b.Begin(t, 250)
	for last := int64(90); last <= 270; last += 90 {
		b.Commit(t, min(last, 250))
	}
	page := b.chunks(t, `,"limit":240`)
	if len(page.Chunks) != 240 || page.Next != 240 {
		t.Fatalf("%d chunks, next %d", len(page.Chunks), page.Next)
	}
	for i, c := range page.Chunks {
		if want := fmt.Sprint(100 * (i + 1)); len(c.Hi) != 1 || c.Hi[0] != want || (i == 0) != (c.Lo == nil) {
			t.Fatalf("%+v", c)
		}
	}
}

// TestChunksOfARunWithoutARecord are those that Postgres knows, and the gaps between them.
func TestChunksOfARunWithoutARecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Finish(t, 2)
	b.lose(t)
	_, err := b.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.Table, Key: map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "RUN#run-1#01"}, "SK": &types.AttributeValueMemberS{Value: "CHUNK#000000000001"},
	}})
	must(t, err)
	page := b.chunks(t, "")
	if len(page.Chunks) != 2 || page.Chunks[0].Hi != nil || page.Chunks[1].State != "COMPLETED" {
		t.Fatalf("%+v", page.Chunks)
	}
}

// TestAPageOfLongKeysEndsEarly: Lambda answers with 6 MB at most.
func TestAPageOfLongKeysEndsEarly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, lo, hi) SELECT 'run-1', n, ARRAY[$1::text], ARRAY[$1::text] FROM generate_series(1, 1000) n`,
		strings.Repeat("\x01", 1000))
	seen, pages := int64(0), 0
	for next := int64(-1); next != 0; pages++ {
		page := b.chunks(t, fmt.Sprintf(`,"limit":1000,"after":%d`, seen))
		seen += int64(len(page.Chunks))
		if next = page.Next; page.size > 6_000_000 || next != 0 && (next != seen || page.size < 5_000_000) {
			t.Fatalf("%d bytes up to chunk %d; next %d", page.size, seen, next)
		}
	}
	if seen != 1000 || pages != 3 {
		t.Fatalf("%d chunks in %d pages", seen, pages)
	}
}
