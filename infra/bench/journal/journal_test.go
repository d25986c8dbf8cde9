package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const before = "2026-11-27T07:27:23.400  INFO --- [et.reactor-8] localstack.request.aws     : AWS dynamodb.UpdateItem => 200\n"

const during = "2026-11-27T07:27:23.473  INFO --- [et.reactor-8] localstack.request.aws     : AWS dynamodb.UpdateItem => 200\n" +
	"2026-11-27T07:27:23.474  INFO --- [t.reactor-13] localstack.request.aws     : AWS dynamodb.UpdateItem => 400 (ConditionalCheckFailedException)\n" +
	"2026-11-27T07:27:23.475  INFO --- [t.reactor-13] localstack.request.aws     : AWS dynamodb.TransactWriteItems => 200\n" +
	"2026-11-27T07:27:23.476  INFO --- [t.reactor-11] localstack.request.aws     : AWS sqs.SendMessageBatch => 200\n" +
	"2026-11-27T07:27:23.477  INFO --- [t.reactor-11] localstack.request.aws     : AWS sqs.ReceiveMessage => 200\n" +
	"2026-11-27T07:27:23.478  INFO --- [t.reactor-11] localstack.request.aws     : AWS lambda.Invoke => 200\n" +
	"2026-11-27T07:27:23.479  INFO --- [t.reactor-11] localstack.request.http    : GET /_localstack/health => 200\n"

const told = "START RequestId: 1 Version: $LATEST\n" +
	`{"message":"chunk left","function":"worker","state":"COMPLETED","ms":200,"batch_ms":194}` + "\n" +
	`{"message":"figures","function":"worker","BatchTime":[50.5,75],"Batches":2}` + "\n" +
	`{"message":"figures","function":"worker","BatchTime":99,"Batches":1}` + "\n" +
	`{"message":"figures","function":"worker","DeliveriesWithoutWork":1}` + "\n" +
	`{"message":"chunk left","BatchTime":1000,"state":""}` + "\n" +
	"REPORT RequestId: 1\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 19 MB\n" +
	`{"message":"REPORT \tMax Memory Used: 99 MB\tInit Duration: 1.00 ms"}` + "\n" +
	"REPORT RequestId: 2\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 23 MB\tInit Duration: 40.25 ms\n" +
	`{"message":"chunk left","function":"worker","state":"PENDING","ms":100,"batch_ms":100}` + "\n" +
	"REPORT RequestId: 3\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 21 MB\n"

// TestOnlyWhatCameAfterTheMark is counted.
func TestOnlyWhatCameAfterTheMark(t *testing.T) {
	folder := t.TempDir()
	add(t, folder, calls, before)
	add(t, folder, worker, told)
	mark := Now(folder)
	add(t, folder, calls, during)
	add(t, folder, worker, told)
	add(t, folder, control, "REPORT RequestId: 4\tDuration: 2.00 ms\n")
	add(t, folder, governor, "REPORT RequestId: 5\tDuration: 2.00 ms\tInit Duration: 55.50 ms\n")
	want := Entries{
		Calls:   Calls{"dynamodb.UpdateItem": 2, "dynamodb.TransactWriteItems": 1, "sqs.SendMessageBatch": 1, "sqs.ReceiveMessage": 1, "lambda.Invoke": 1},
		Answers: 1, Deliveries: Delivered{Chunks: 3, Millis: 300, Batches: 294}, BatchTimes: []float64{50.5, 75, 99}, Memory: 23 << 20, Inits: []float64{40.25, 55.5},
	}
	got := mark.Since()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if functions, pages := got.Calls.Functions(), got.Calls.Pages(); functions != 4 || pages != 2 {
		t.Fatalf("%d calls are the functions', %d for pages", functions, pages)
	}
}

func TestALogThatIsNotThereCountsNothing(t *testing.T) {
	if diff := cmp.Diff(Entries{Calls: Calls{}}, Now(t.TempDir()).Since()); diff != "" {
		t.Fatal(diff)
	}
}

func add(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
