package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestDeadLettersAreDrained by the governor of whatever run goes on: here one that nobody knows, and one that is no chunk's.
func TestDeadLettersAreDrained(t *testing.T) {
	t.Parallel()
	table := unique("letters")
	b := setup(t, table, fmt.Sprintf("CREATE TABLE %[1]s (id bigint PRIMARY KEY, n int); INSERT INTO %[1]s SELECT g, 0 FROM generate_series(1, 1000) g; ANALYZE %[1]s", quoted(table)))
	url := b.outputs["DeadLetterQueueUrl"]
	for _, body := range []string{`{"run":"nobody","chunk":1,"hi":["9"],"send":1}`, "hello"} {
		_, err := b.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(body)})
		must(t, err)
	}
	id, execution := b.define(t, fmt.Sprintf("name: increment\ntable: %s\nset: {n: n + 1}\n", table))
	b.completes(t, id, execution, 2*time.Minute)
	waitFor(t, time.Minute, "the dead-letter queue to be empty", func() bool {
		got, err := b.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
			AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}})
		must(t, err)
		return got.Attributes["ApproximateNumberOfMessages"] == "0" && got.Attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
	})
}
