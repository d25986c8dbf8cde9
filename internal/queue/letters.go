package queue

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// hidden is for how many seconds a letter is received by nobody else: what is not deleted by then comes again.
const hidden = 60

// LettersAPI is the part of SQS that is called.
type LettersAPI interface {
	ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
}

// Letter is a message that no delivery came to an end with.
type Letter struct {
	ID      string         // that SQS gave it
	Message *chunk.Message // nil: it is none of a chunk
	SentAt  time.Time      // by the queue's clock, first of all
	Handle  string
}

// Letters is the dead-letter queue.
type Letters struct {
	api LettersAPI
	url string
}

// NewLetters makes it.
func NewLetters(api LettersAPI, url string) *Letters { return &Letters{api: api, url: url} }

// Receive gives up to ten letters. It does not wait: SQS may keep back some that the next call gives.
func (l *Letters) Receive(ctx context.Context) ([]Letter, error) {
	out, err := l.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.url, MaxNumberOfMessages: mostEntries, VisibilityTimeout: hidden,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp}})
	if err != nil {
		return nil, failure.New(failure.Transient, "receive from %s: %w", l.url, err)
	}
	letters := make([]Letter, len(out.Messages))
	for i, received := range out.Messages {
		letters[i] = Letter{ID: aws.ToString(received.MessageId), SentAt: sentAt(received), Handle: aws.ToString(received.ReceiptHandle)}
		var message chunk.Message
		if json.Unmarshal([]byte(aws.ToString(received.Body)), &message) == nil && message.Run != "" && message.Chunk > 0 && len(message.Hi) > 0 {
			letters[i].Message = &message
		}
	}
	return letters, nil
}

// sentAt is in milliseconds of the epoch.
func sentAt(received types.Message) time.Time {
	at, _ := strconv.ParseInt(received.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	return time.UnixMilli(at)
}

// Delete takes up to ten letters off the queue. One that SQS does not delete comes again.
func (l *Letters) Delete(ctx context.Context, letters []Letter) error {
	if len(letters) == 0 {
		return nil
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, len(letters))
	for i := range letters {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &letters[i].Handle}
	}
	out, err := l.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &l.url, Entries: entries})
	if err != nil {
		return failure.New(failure.Transient, "delete %d messages from %s: %w", len(entries), l.url, err)
	}
	if len(out.Failed) > 0 {
		return failure.New(failure.Transient, "delete from %s: SQS kept %d of %d messages: %s", l.url, len(out.Failed), len(entries), aws.ToString(out.Failed[0].Code))
	}
	return nil
}
