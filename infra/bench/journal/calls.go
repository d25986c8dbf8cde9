package journal

import (
	"regexp"
	"strings"
)

// Calls are counts by service and operation, as in dynamodb.UpdateItem. The local stack's own calls (its poller, its state
// machines) do not come over the wire, and have no line.
type Calls map[string]int64

var call = regexp.MustCompile(`(?m)localstack\.request\.aws +: AWS (\w+\.\w+) => \d+`)

func count(log []byte) Calls {
	counts := Calls{}
	for _, found := range call.FindAllSubmatch(log, -1) {
		counts[string(found[1])]++
	}
	return counts
}

// Functions are the calls that the product's functions make: to DynamoDB, and to send to the queue. A read for somebody who
// watches is among them.
func (c Calls) Functions() (sum int64) {
	for name, n := range c {
		if service, _, _ := strings.Cut(name, "."); service == "dynamodb" || name == sends {
			sum += n
		}
	}
	return sum
}

const sends = "sqs.SendMessageBatch"

// Pages are the calls that each page of the plan causes: its commit, its sends, and that it leaves the outbox.
func (c Calls) Pages() int64 {
	return c["dynamodb.TransactWriteItems"] + c[sends] + c["dynamodb.DeleteItem"]
}
