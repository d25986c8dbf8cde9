package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestPeopleAreTold of a pause that waits for them, of an end, and what to do: each once.
func TestPeopleAreTold(t *testing.T) {
	t.Parallel()
	table := unique("told")
	b := setup(t, table, fmt.Sprintf(`CREATE TABLE %[1]s (id bigint PRIMARY KEY, n int CHECK (n <> 7)); INSERT INTO %[1]s SELECT g, CASE g WHEN 500 THEN 6 ELSE 0 END
		FROM generate_series(1, 1000) g; ANALYZE %[1]s`, quoted(table)))
	queue := b.subscribed(t)
	id, execution := b.define(t, fmt.Sprintf("name: told\ntable: %s\nset: {n: n + 1}\non_failure: pause\n", table))
	b.told(t, queue, "Run "+id+" (told, ", "is PAUSED, since a chunk failed.", "SQLSTATE 23514", "`backfill resume "+id+"`")
	b.script(t, "ALTER TABLE "+quoted(table)+" DROP CONSTRAINT "+table+"_n_check")
	b.control(t, map[string]any{"action": "resume", "run": id})
	b.completes(t, id, execution, 2*time.Minute)
	b.told(t, queue, "Run "+id+" (told, ", "has COMPLETED.", "1,000 looked at", "`backfill rollback "+id+"`")
}

// subscribed is a queue of the test's own that gets what the stack's topic is sent.
func (b *bundle) subscribed(t *testing.T) (queue string) {
	t.Helper()
	name := unique("told")
	made, err := b.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	must(t, err)
	t.Cleanup(func() {
		_, err := b.sqs.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
		must(t, err)
	})
	got, err := b.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	must(t, err)
	form := url.Values{"Action": {"Subscribe"}, "Version": {"2010-03-31"}, "TopicArn": {b.outputs["TopicArn"]}, "Protocol": {"sqs"},
		"Endpoint": {got.Attributes["QueueArn"]}, "Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {"true"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// The local stack reads account, region and service from it, and checks no signature.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+b.config.Region+"/sns/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("subscribe: %s, %v: %s", answer.Status, err, text)
	}
	return *made.QueueUrl
}

// told waits for a message that has all of the parts. Others are of other tests.
func (b *bundle) told(t *testing.T, queue string, parts ...string) {
	t.Helper()
	waitFor(t, 2*time.Minute, fmt.Sprintf("a notice that has %q", parts), func() bool {
		got, err := b.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 300})
		must(t, err)
		for _, message := range got.Messages {
			missing := 0
			for _, part := range parts {
				if !strings.Contains(*message.Body, part) {
					missing++
				}
			}
			if missing == 0 {
				return true
			}
			if strings.Contains(*message.Body, parts[0]) {
				t.Fatalf("%q says not all of %q", *message.Body, parts)
			}
		}
		return false
	})
}
