package pipeline

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var queues atomic.Int64

// Queue is a queue of one test.
type Queue struct {
	URL string
	API *sqs.Client
}

// Endpoint is where the stack's SQS answers.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Fatal("AWS_ENDPOINT_URL is not set: run the tests by `make test`, which starts the stack")
	}
	return endpoint
}

// NewQueue makes a queue that brings a message again after the visibility timeout, until the test ends.
func NewQueue(t testing.TB, visibility time.Duration) *Queue {
	t.Helper()
	loaded, err := config.LoadDefaultConfig(context.Background(), config.WithBaseEndpoint(Endpoint(t)))
	if err != nil {
		t.Fatal(err)
	}
	api := sqs.NewFromConfig(loaded)
	made, err := api.CreateQueue(context.Background(), &sqs.CreateQueueInput{
		QueueName:  aws.String(fmt.Sprintf("faults-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), queues.Add(1))),
		Attributes: map[string]string{string(types.QueueAttributeNameVisibilityTimeout): strconv.Itoa(int(visibility / time.Second))},
	})
	if err != nil {
		t.Fatalf("make a queue at %s: %v", Endpoint(t), err)
	}
	t.Cleanup(func() {
		if _, err := api.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl}); err != nil {
			t.Errorf("delete queue %s: %v", *made.QueueUrl, err)
		}
	})
	return &Queue{URL: *made.QueueUrl, API: api}
}

// receive waits for a message; nil: there was none for a second.
func (q *Queue) receive(ctx context.Context) (*types.Message, error) {
	out, err := q.API.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 1, WaitTimeSeconds: 1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAWSTraceHeader}})
	if err != nil || len(out.Messages) == 0 {
		return nil, err
	}
	return &out.Messages[0], nil
}

func (q *Queue) delete(ctx context.Context, message *types.Message) error {
	_, err := q.API.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: message.ReceiptHandle})
	return err
}
