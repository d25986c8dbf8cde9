// Package queuetest gives each test an SQS queue of its own on the local stack.
//
// It owns the queues that it creates and deletes; `make test` starts the stack and names it in AWS_ENDPOINT_URL. Only
// tests import it.
package queuetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/chunk"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Endpoint is the variable that names the local stack.
const Endpoint = "AWS_ENDPOINT_URL"

var queues atomic.Int64

// Queue is an empty queue of one test.
type Queue struct {
	Client *sqs.Client // its requests go through the transport that the test gave
	URL    string
	plain  *sqs.Client
}

// New makes an empty queue, with a client whose requests go through the transport (nil: the default one).
func New(t testing.TB, transport http.RoundTripper) Queue {
	t.Helper()
	endpoint := os.Getenv(Endpoint)
	if endpoint == "" {
		t.Fatalf("%s is not set: run the tests by `make test`, which starts the local stack", Endpoint)
	}
	plain := client(endpoint, nil)
	name := fmt.Sprintf("test-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), queues.Add(1))
	created, err := plain.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatalf("create queue %s at %s: %v", name, endpoint, err)
	}
	t.Cleanup(func() {
		if _, err := plain.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: created.QueueUrl}); err != nil {
			t.Errorf("delete queue %s: %v", name, err)
		}
	})
	return Queue{Client: client(endpoint, transport), URL: *created.QueueUrl, plain: plain}
}

// patience is how long messages that are expected are waited for.
const patience = 20 * time.Second

// Drain receives and deletes all messages. An empty answer means that none is left only once as many have come as are expected: a busy
// stack gives one though there are some, as SQS itself may.
func (q Queue) Drain(t testing.TB, expected int) []chunk.Message {
	t.Helper()
	var all []chunk.Message
	for deadline := time.Now().Add(patience); ; {
		out, err := q.plain.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			if len(all) >= expected || time.Now().After(deadline) {
				return all
			}
			continue
		}
		all = append(all, q.take(t, out.Messages)...)
	}
}

func (q Queue) take(t testing.TB, received []types.Message) []chunk.Message {
	t.Helper()
	messages := make([]chunk.Message, len(received))
	taken := make([]types.DeleteMessageBatchRequestEntry, len(received))
	for i, one := range received {
		if err := json.Unmarshal([]byte(aws.ToString(one.Body)), &messages[i]); err != nil {
			t.Fatalf("%s: %v", aws.ToString(one.Body), err)
		}
		taken[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: one.ReceiptHandle}
	}
	out, err := q.plain.DeleteMessageBatch(context.Background(), &sqs.DeleteMessageBatchInput{QueueUrl: &q.URL, Entries: taken})
	if err != nil || len(out.Failed) > 0 {
		t.Fatalf("delete received messages: %v, %v", out, err)
	}
	return messages
}

func client(endpoint string, transport http.RoundTripper) *sqs.Client {
	return sqs.New(sqs.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}
