package records_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// begin records runs that start one minute after the other; their ids say nothing of their order.
func (b *bundle) begin(t *testing.T, n int) (newestFirst []string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("%03d-%d", i*37%n, i)
		must(t, b.CreateRun(t.Context(), describe(id, start.Add(time.Duration(i+1)*time.Minute)), "arn"))
		newestFirst = append([]string{id}, newestFirst...)
	}
	return newestFirst
}

func ids(runs []run.Status) (ids []string) {
	for _, status := range runs {
		ids = append(ids, status.Run)
	}
	return ids
}

// TestAListOfAHundredRunsIsTwoCalls and is in the order of their start, which the answer to a batch is not.
func TestAListOfAHundredRunsIsTwoCalls(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := b.begin(t, 101)
	var calls []string
	b.wire.answered = func(operation string, _ *http.Response) { calls = append(calls, operation) }
	runs, err := b.List(t.Context(), 100)
	must(t, err)
	if diff := cmp.Diff(want[:100], ids(runs)); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"Query", "BatchGetItem"}, calls); diff != "" {
		t.Fatal(diff)
	}
	if runs[0].Rows.Estimated != 42 || runs[0].State != run.Planning {
		t.Fatalf("%+v", runs[0])
	}
}

// TestARunThatExpiresBetweenTheTwoReadsIsLeftOut: the index still names it.
func TestARunThatExpiresBetweenTheTwoReadsIsLeftOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := b.begin(t, 3)
	b.wire.answered = func(operation string, _ *http.Response) {
		if operation == "Query" {
			b.drop(t, want[1])
		}
	}
	runs, err := b.List(t.Context(), 3)
	must(t, err)
	if diff := cmp.Diff([]string{want[0], want[2]}, ids(runs)); diff != "" {
		t.Fatal(diff)
	}
}

func (b *bundle) drop(t *testing.T, id string) {
	t.Helper()
	_, err := b.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.table, Key: map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "RUN#" + id}, "SK": &types.AttributeValueMemberS{Value: "RUN"}}})
	must(t, err)
}

// TestKeysThatABatchLeftAreReadAgain: DynamoDB may answer a part, and say so.
func TestKeysThatABatchLeftAreReadAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	batches := 0
	b.wire.answered = func(operation string, answer *http.Response) {
		if operation != "BatchGetItem" {
			return
		}
		if batches++; batches == 1 {
			replace(answer, http.StatusOK, fmt.Sprintf(`{"Responses":{},"UnprocessedKeys":{%q:{"Keys":[{"PK":{"S":"RUN#%s"},"SK":{"S":"RUN"}}]}}}`,
				b.table, theRun))
		}
	}
	runs, err := b.List(t.Context(), 10)
	must(t, err)
	if len(runs) != 1 || batches != 2 {
		t.Fatalf("%d runs in %d batches", len(runs), batches)
	}
}

func TestAnEmptyListIsNoError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.drop(t, theRun)
	runs, err := b.List(t.Context(), 10)
	must(t, err)
	if len(runs) != 0 {
		t.Fatalf("%+v", runs)
	}
}
