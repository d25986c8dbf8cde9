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
	"strings"

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

// traceHeader is the attribute by which SQS hands a trace on.
const traceHeader = "AWSTraceHeader"

// Queue is one queue.
type Queue struct {
	api    API
	url    string
	header func(ctx context.Context) string // of the trace that goes on; "": none does
}

// New makes a queue.
func New(api API, url string) *Queue {
	return &Queue{api: api, url: url, header: func(context.Context) string { return "" }}
}

// Carrying has each message carry the header of a trace.
func (q *Queue) Carrying(header func(ctx context.Context) string) *Queue {
	q.header = header
	return q
}

// Send sends messages, and gives the numbers of the chunks that were not accepted. With an error, those chunks may
// have been accepted or not.
func (q *Queue) Send(ctx context.Context, messages []chunk.Message) (unsent []int64, err error) {
	for len(messages) > 0 {
		entries, err := fill(messages)
		if err != nil {
			return append(unsent, numbers(messages)...), err
		}
		refused, err := q.send(ctx, messages[:len(entries)], entries)
		unsent = append(unsent, refused...)
		if err != nil {
			return append(unsent, numbers(messages[len(entries):])...), err
		}
		messages = messages[len(entries):]
	}
	return unsent, nil
}

// fill makes a batch of as many of the first messages as fit.
func fill(messages []chunk.Message) ([]types.SendMessageBatchRequestEntry, error) {
	var entries []types.SendMessageBatchRequestEntry
	bytes := 0
	for i, message := range messages[:min(mostEntries, len(messages))] {
		body, err := encode(message)
		if err != nil {
			return nil, err
		}
		if bytes += len(body); bytes > mostBytes && i > 0 {
			break
		}
		if bytes > mostBytes {
			return nil, failure.New(failure.Permanent, "the keys of chunk %d of run %s make a message of %d bytes; a queue takes %d",
				message.Chunk, message.Run, bytes, mostBytes)
		}
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &body})
	}
	return entries, nil
}

// escapes are for the two characters that JSON has as they are, but that SQS refuses in a body.
var escapes = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

func encode(message chunk.Message) (string, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return "", fmt.Errorf("encode chunk %d of run %s: %w", message.Chunk, message.Run, err)
	}
	return escapes.Replace(string(body)), nil
}

// send sends one batch. What the answer does not name as accepted is unsent, whatever else it says.
func (q *Queue) send(ctx context.Context, messages []chunk.Message, entries []types.SendMessageBatchRequestEntry) ([]int64, error) {
	if header := q.header(ctx); header != "" {
		for i := range entries {
			entries[i].MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{traceHeader: {DataType: aws.String("String"), StringValue: &header}}
		}
	}
	out, err := q.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return numbers(messages), failure.New(failure.Transient, "send %d messages to %s: %w", len(entries), q.url, err)
	}
	accepted := map[string]bool{}
	for _, entry := range out.Successful {
		accepted[aws.ToString(entry.Id)] = true
	}
	var unsent []int64
	for i, message := range messages {
		if !accepted[*entries[i].Id] {
			unsent = append(unsent, message.Chunk)
		}
	}
	return unsent, nil
}

func numbers(messages []chunk.Message) []int64 {
	var all []int64
	for _, message := range messages {
		all = append(all, message.Chunk)
	}
	return all
}
