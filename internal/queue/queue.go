// Package queue puts chunks on the SQS queue that the workers are fed from.
//
// It owns batches and their limits. It leaves what is sent, and when, to dispatch. Invariant: a chunk counts as sent
// only when SQS has accepted its entry.
package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"backfill/internal/chunk"
	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// mostEntries and mostBytes are SQS' limits of a batch; the second leaves room for what SQS adds.
	mostEntries = 10
	mostBytes   = 1_000_000
)

// API is the part of SQS that is called.
type API interface {
	SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Queue is one queue.
type Queue struct {
	api API
	url string
}

// New makes a queue.
func New(api API, url string) *Queue { return &Queue{api: api, url: url} }

// Send sends messages, and gives the numbers of the chunks that were not accepted. With an error, those chunks may
// have been accepted or not.
func (q *Queue) Send(ctx context.Context, messages []chunk.Message) (unsent []int64, err error) {
	for len(messages) > 0 {
		entries, bytes := []types.SendMessageBatchRequestEntry(nil), 0
		for i, message := range messages[:min(mostEntries, len(messages))] {
			body, err := json.Marshal(message)
			if err != nil {
				return numbers(messages), fmt.Errorf("encode chunk %d: %w", message.Chunk, err)
			}
			if bytes += len(body); bytes > mostBytes && i > 0 {
				break
			}
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(body))})
		}
		failed, err := q.send(ctx, messages[:len(entries)], entries)
		unsent = append(unsent, failed...)
		if err != nil {
			return append(unsent, numbers(messages[len(entries):])...), err
		}
		messages = messages[len(entries):]
	}
	return unsent, nil
}

func (q *Queue) send(ctx context.Context, messages []chunk.Message, entries []types.SendMessageBatchRequestEntry) ([]int64, error) {
	out, err := q.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return numbers(messages), failure.New(failure.Transient, "send %d messages to %s: %w", len(entries), q.url, err)
	}
	var failed []int64
	for _, entry := range out.Failed {
		i, err := strconv.Atoi(aws.ToString(entry.Id))
		if err != nil || i >= len(messages) {
			return numbers(messages), failure.New(failure.Transient, "send to %s: an answer for entry %q", q.url, aws.ToString(entry.Id))
		}
		failed = append(failed, messages[i].Chunk)
	}
	return failed, nil
}

func numbers(messages []chunk.Message) []int64 {
	var all []int64
	for _, message := range messages {
		all = append(all, message.Chunk)
	}
	return all
}
