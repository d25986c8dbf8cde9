package faults

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"backfill/internal/bill"
	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var record = flag.String("record", "", "file to write the calls of a run to, as JSON")

// counted is what a run without a fault asked of AWS: calls by function, service and operation.
type counted struct {
	Chunks    int64                       `json:"chunks"`
	Claims    int64                       `json:"claims"`
	Seconds   float64                     `json:"seconds"`
	LookAhead int64                       `json:"look_ahead"`
	ItemBytes int64                       `json:"largest_chunk_bytes"`
	RunBytes  int64                       `json:"run_bytes"`
	Calls     map[string]map[string]int64 `json:"calls"`

	mutex sync.Mutex
}

func (c *counted) note(call gateway.Call) gateway.Fault {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	function := call.Caller.(*door).function
	if c.Calls[function] == nil {
		c.Calls[function] = map[string]int64{}
	}
	service, _, _ := strings.Cut(call.Service, "_")
	c.Calls[function][service+"."+call.Operation]++
	return nil
}

// each is how many calls of an operation all functions made.
func (c *counted) each(operation string) (sum int64) {
	for _, calls := range c.Calls {
		sum += calls[operation]
	}
	return sum
}

func (c *counted) all() (sum int64) {
	for _, calls := range c.Calls {
		for _, n := range calls {
			sum += n
		}
	}
	return sum
}

const (
	mostCalls = 12 // for a chunk, all of the run's included
	shards    = 16 // partitions of a run's chunks
	readings  = 1  // of all chunks when the run ends: checkpoints are compared with the ledger, and let go
)

// TestWhatAChunkAsksOfAWS counts the calls of a run that meets no fault: a claim is two checkpoints, a chunk expires once, a
// page is a commit, sends of ten chunks each, and a note that it was sent. Only what a beat writes depends on time.
func TestWhatAChunkAsksOfAWS(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 2})
	found := &counted{LookAhead: 64, Calls: map[string]map[string]int64{}}
	for _, d := range s.doors {
		d.Variables["LOOK_AHEAD"] = fmt.Sprint(found.LookAhead)
	}
	s.gateway.Watch(found.note)
	work := increment{rows: 40_000, chunkRows: 1_000}.makeTable(t, db)
	begun := time.Now()
	a := s.start(t, work)
	a.completes(t)
	found.Seconds = time.Since(begun).Seconds()
	s.gateway.Watch(func(gateway.Call) gateway.Fault { return nil })
	conn := db.Connect(t)
	found.Chunks = number(t, conn, "SELECT count(*) FROM backfill.ledger WHERE run = $1", a.id)
	found.Claims = number(t, conn, "SELECT sum(fence) FROM backfill.ledger WHERE run = $1", a.id)
	found.weigh(t, s)
	found.check(t)
	found.compare(t)
	found.keep(t)
}

func (c *counted) check(t *testing.T) {
	t.Helper()
	pages := c.each("DynamoDB.TransactWriteItems")
	for what, counts := range map[string][2]int64{
		"checkpoints of workers":      {c.Calls[worker]["DynamoDB.UpdateItem"], 2 * c.Claims},
		"pages that left the outbox":  {c.each("DynamoDB.DeleteItem"), pages},
		"readings of a run that ends": {c.Calls[governor]["DynamoDB.Query"] / shards, readings},
	} {
		if counts[0] != counts[1] {
			t.Errorf("%s: %d, want %d", what, counts[0], counts[1])
		}
	}
	if sends := c.each("AmazonSQS.SendMessageBatch"); sends > pages+c.Claims/10 {
		t.Errorf("%d sends for %d pages", sends, pages)
	}
	if calls := c.all(); calls > mostCalls*c.Chunks {
		t.Errorf("%d calls for %d chunks: %v", calls, c.Chunks, c.Calls)
	}
	if len(c.Calls[worker]) != 1 {
		t.Errorf("workers call %v", c.Calls[worker])
	}
}

// compare holds the model of costs against the run: what the chunks cause exactly, what the time causes as the most that it can be.
func (c *counted) compare(t *testing.T) {
	t.Helper()
	beats := c.Calls[governor]["DynamoDB.GetItem"] - 1 // the last of them reads the plan; beats are shorter here than the template's
	model := bill.Run{Rows: c.Chunks, ChunkRows: 1, LookAhead: c.LookAhead, Beat: c.Seconds / float64(beats), Seconds: c.Seconds,
		Again: c.Claims - c.Chunks}.Calls()
	for operation, want := range map[string]int64{"TransactWriteItems": model.Transact, "DeleteItem": model.Delete, "PutItem": model.Put} {
		if got := c.each("DynamoDB." + operation); got != want {
			t.Errorf("%s: the run made %d, the model %d", operation, got, want)
		}
	}
	for call, most := range map[string]int64{
		"DynamoDB.UpdateItem": model.Update, "DynamoDB.GetItem": model.Get, "DynamoDB.Query": model.Query, "DynamoDB.BatchGetItem": model.BatchGet,
		"AmazonSQS.SendMessageBatch": model.Send, "AmazonSQS.ReceiveMessage": model.Receive,
	} {
		if got := c.each(call); got > most || got < most/2 {
			t.Errorf("%s: the run made %d, the model %d", call, got, most)
		}
	}
}

// weigh measures what DynamoDB keeps, by its own rule: names and values, 3 bytes for a list and 1 for each of its members.
func (c *counted) weigh(t *testing.T, s *stack) {
	t.Helper()
	kept, err := s.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.table})
	must(t, err)
	for _, item := range kept.Items {
		size := int64(0)
		for name, value := range item {
			size += int64(len(name)) + weight(value)
		}
		if _, chunk := item["chunk"]; chunk {
			c.ItemBytes = max(c.ItemBytes, size)
		} else {
			c.RunBytes = max(c.RunBytes, size)
		}
	}
}

func weight(value types.AttributeValue) int64 {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return int64(len(v.Value))
	case *types.AttributeValueMemberN:
		return int64(len(v.Value)/2) + 2
	case *types.AttributeValueMemberL:
		size := int64(3)
		for _, member := range v.Value {
			size += 1 + weight(member)
		}
		return size
	}
	return 1
}

// keep writes what the model of costs (internal/bill) is held against.
func (c *counted) keep(t *testing.T) {
	t.Helper()
	text, err := json.MarshalIndent(c, "", "  ")
	must(t, err)
	t.Logf("%s", text)
	if *record != "" {
		must(t, os.WriteFile(*record, append(text, '\n'), 0o644))
	}
}
