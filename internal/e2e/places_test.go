package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// raw calls an API of the local stack for which there is no client here, or whose answer is wanted whole, as text.
func (b *bundle) raw(t *testing.T, service, target string, input map[string]any) []byte {
	t.Helper()
	body, err := json.Marshal(input)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), bytes.NewReader(body))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", target)
	// The local stack reads account, region and service from it, and checks no signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+os.Getenv("AWS_ACCESS_KEY_ID")+"/20260101/"+b.config.Region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", target, answer.Status, err, text)
	}
	return text
}

// logs is all that a log group was given since then, of all streams.
func (b *bundle) logs(t *testing.T, group string, since time.Time) string {
	t.Helper()
	var all strings.Builder
	input := map[string]any{"logGroupName": group, "startTime": since.UnixMilli()}
	for {
		var page struct {
			Events []struct {
				Message string `json:"message"`
			} `json:"events"`
			NextToken string `json:"nextToken"`
		}
		must(t, json.Unmarshal(b.raw(t, "logs", "Logs_20140328.FilterLogEvents", input), &page))
		for _, event := range page.Events {
			all.WriteString(event.Message + "\n")
		}
		if page.NextToken == "" {
			return all.String()
		}
		input["nextToken"] = page.NextToken
	}
}

// records is every item of the table, whole.
func (b *bundle) records(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	input := map[string]any{"TableName": b.outputs["TableName"], "ConsistentRead": true}
	for {
		text := b.raw(t, "dynamodb", "DynamoDB_20120810.Scan", input)
		var page struct{ LastEvaluatedKey json.RawMessage }
		must(t, json.Unmarshal(text, &page))
		all.Write(text)
		if page.LastEvaluatedKey == nil {
			return all.String()
		}
		input["ExclusiveStartKey"] = page.LastEvaluatedKey
	}
}

// executions is all that Step Functions keeps of the executions of a state machine whose input has a text: input, output, cause, and the whole
// history with its data.
func (b *bundle) executions(t *testing.T, machine, of string, since time.Time) string {
	t.Helper()
	var all strings.Builder
	listed := sfn.NewListExecutionsPaginator(b.sfn, &sfn.ListExecutionsInput{StateMachineArn: aws.String(b.outputs[machine])})
	for listed.HasMorePages() {
		page, err := listed.NextPage(t.Context())
		must(t, err)
		for _, one := range page.Executions {
			if one.StartDate.Before(since) {
				continue
			}
			described, err := b.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: one.ExecutionArn})
			must(t, err)
			if strings.Contains(aws.ToString(described.Input)+*one.Name, of) {
				b.keep(t, &all, described)
			}
		}
	}
	return all.String()
}

func (b *bundle) keep(t *testing.T, all *strings.Builder, described *sfn.DescribeExecutionOutput) {
	t.Helper()
	if described.Status == sfntypes.ExecutionStatusRunning {
		t.Errorf("%s goes on: its history is not whole", *described.ExecutionArn)
	}
	write := func(what any) {
		text, err := json.Marshal(what)
		must(t, err)
		all.Write(text)
	}
	write(described)
	history := sfn.NewGetExecutionHistoryPaginator(b.sfn, &sfn.GetExecutionHistoryInput{ExecutionArn: described.ExecutionArn, IncludeExecutionData: aws.Bool(true)})
	for history.HasMorePages() {
		page, err := history.NextPage(t.Context())
		must(t, err)
		write(page.Events)
	}
}

// mail is what queues have held, message by message, with attributes, seen without a receive.
type mail struct {
	mutex    sync.Mutex
	messages map[string]string // by queue and id
}

// overlook looks into queues until the test ends. The local stack shows what waits and what was received and is at work, and counts no receive for it.
func (b *bundle) overlook(t *testing.T, queues ...string) *mail {
	t.Helper()
	m := &mail{messages: map[string]string{}}
	ctx, stop := context.WithCancel(t.Context())
	var looks sync.WaitGroup
	for _, queue := range queues {
		looks.Go(func() {
			for ticker := time.NewTicker(50 * time.Millisecond); ctx.Err() == nil; <-ticker.C {
				if err := m.look(ctx, queue); err != nil && ctx.Err() == nil {
					t.Errorf("look into %s: %v", queue, err)
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		stop()
		looks.Wait()
	})
	return m
}

func (m *mail) look(ctx context.Context, queue string) error {
	query := url.Values{"QueueUrl": {queue}, "ShowInvisible": {"true"}, "ShowDelayed": {"true"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("AWS_ENDPOINT_URL")+"/_aws/sqs/messages?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	var seen struct {
		ReceiveMessageResponse struct {
			ReceiveMessageResult *struct{ Message json.RawMessage }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil || seen.ReceiveMessageResponse.ReceiveMessageResult == nil {
		return err
	}
	return m.keep(queue, seen.ReceiveMessageResponse.ReceiveMessageResult.Message)
}

// keep keeps each message: one is an object, several are a list.
func (m *mail) keep(queue string, text json.RawMessage) error {
	if !bytes.HasPrefix(text, []byte("[")) {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	var messages []json.RawMessage
	if err := json.Unmarshal(text, &messages); err != nil {
		return err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, message := range messages {
		var named struct{ MessageId string } //nolint:revive // as SQS spells it
		if err := json.Unmarshal(message, &named); err != nil {
			return err
		}
		m.messages[queue+" "+named.MessageId] = string(message)
	}
	return nil
}

// text is all that was seen, each message on a line.
func (m *mail) text() string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return strings.Join(slices.Sorted(maps.Values(m.messages)), "\n")
}
