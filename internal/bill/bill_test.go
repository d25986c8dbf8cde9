package bill

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// recorded is a real run that met no fault (internal/faults, TestWhatAChunkAsksOfAWS -record): the functions' programs on
// DynamoDB Local and a real queue.
type recorded struct {
	Chunks    int64                       `json:"chunks"`
	Claims    int64                       `json:"claims"`
	Seconds   float64                     `json:"seconds"`
	LookAhead int64                       `json:"look_ahead"`
	ItemBytes int64                       `json:"largest_chunk_bytes"`
	RunBytes  int64                       `json:"run_bytes"`
	Calls     map[string]map[string]int64 `json:"calls"`
}

func read(t *testing.T) (r recorded) {
	t.Helper()
	text, err := os.ReadFile("testdata/run.json")
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r recorded) of(operation string) (sum int64) {
	for _, calls := range r.Calls {
		sum += calls[operation]
	}
	return sum
}

// TestTheModelCountsWhatARunAsks: what the chunks cause exactly, what the time causes as the most that it can be.
func TestTheModelCountsWhatARunAsks(t *testing.T) {
	real := read(t)
	if real.Claims != real.Chunks {
		t.Fatalf("%d claims of %d chunks: record a run in which none was given back", real.Claims, real.Chunks)
	}
	beats := real.Calls["governor"]["DynamoDB.GetItem"] - 1 // the last reads the plan; the harness' are shorter than the template's
	run := Run{Rows: real.Chunks, ChunkRows: 1, LookAhead: real.LookAhead, Beat: real.Seconds / float64(beats), Seconds: real.Seconds}
	model := run.Calls()
	for operation, want := range map[string]int64{"TransactWriteItems": model.Transact, "DeleteItem": model.Delete, "PutItem": model.Put} {
		if got := real.of("DynamoDB." + operation); got != want {
			t.Errorf("%s: the run made %d, the model %d", operation, got, want)
		}
	}
	if got := real.of("AmazonSQS.SendMessageBatch"); got != model.Send {
		t.Errorf("the run made %d sends, the model %d", got, model.Send)
	}
	for call, most := range map[string]int64{
		"DynamoDB.UpdateItem": model.Update, "DynamoDB.GetItem": model.Get, "DynamoDB.Query": model.Query, "DynamoDB.BatchGetItem": model.BatchGet,
		"AmazonSQS.ReceiveMessage": model.Receive,
	} {
		if got := real.of(call); got > most || got < most/2 {
			t.Errorf("%s: the run made %d, the model %d", call, got, most)
		}
	}
	if real.ItemBytes > chunkBytes || real.RunBytes > runUnits*1_024 {
		t.Errorf("an item of a chunk has %d bytes, that of the run %d", real.ItemBytes, real.RunBytes)
	}
}

// TestALargeRunStaysWithinItsBounds: 10,000 chunks and ten times as many.
func TestALargeRunStaysWithinItsBounds(t *testing.T) {
	for _, rows := range []int64{1_000 * million, 10_000 * million} {
		for _, r := range []Run{At(rows, workers, rowsPerSecond), At(rows, 16, rowsPerSecond), AtWAL(rows, million)} {
			if history := r.History(); history >= 25_000 {
				t.Errorf("%d rows in %.0f s: a history of %d events", rows, r.Seconds, history)
			}
			own := float64(r.Own()) / float64(r.Chunks())
			if beside := float64(r.Calls().Sum()-r.Own()) / r.Seconds; beside > 1 || beside < 0.5 || own > 12 {
				t.Errorf("%d rows in %.0f s: %.1f calls a chunk, and %.2f a second", rows, r.Seconds, own, beside)
			}
			t.Logf("%d rows in %.0f s: %.2f calls a chunk, and %.2f a second", rows, r.Seconds, own, float64(r.Calls().Sum()-r.Own())/r.Seconds)
		}
	}
}

// TestNoRunAsksMuchForAChunk: from 4 chunks on, as many as are compared in docs/performance.md.
func TestNoRunAsksMuchForAChunk(t *testing.T) {
	for _, chunks := range []int64{4, 10, 16, 40, 1_000, 10_000, 100_000} {
		r := At(chunks*chunkRows, workers, rowsPerSecond)
		if calls := r.Calls().Sum(); calls > 12*r.Chunks() {
			t.Errorf("%d chunks: %d calls, %.1f a chunk", r.Chunks(), calls, float64(calls)/float64(r.Chunks()))
		}
	}
}

// TestTheDocumentHasTheTables as the model makes them.
func TestTheDocumentHasTheTables(t *testing.T) {
	text, err := os.ReadFile("../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range [][]string{Sizes(), Budgets()} {
		if want := strings.Join(table, "\n") + "\n"; !strings.Contains(string(text), want) {
			t.Errorf("docs/cost.md lacks this table:\n%s", want)
		}
	}
}
