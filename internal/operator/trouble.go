package operator

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// recent is how many of an execution's last events are looked at.
const recent = 10

// history is the part of Step Functions that tells what an execution did.
type history interface {
	GetExecutionHistory(ctx context.Context, in *sfn.GetExecutionHistoryInput, o ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// Trouble is the last error of an execution that goes on, which Step Functions tries again; "" where there is none.
func (m machine) Trouble(ctx context.Context, id string) (string, error) {
	told, err := m.api.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{
		ExecutionArn: aws.String(m.execution(id)), ReverseOrder: true, MaxResults: recent,
	})
	if err != nil {
		return "", fmt.Errorf("read the history of execution %s: %w", id, err)
	}
	for _, event := range told.Events {
		if failed := event.TaskFailedEventDetails; failed != nil {
			return message(aws.ToString(failed.Error), aws.ToString(failed.Cause)), nil
		}
		if timedOut := event.TaskTimedOutEventDetails; timedOut != nil {
			return message(aws.ToString(timedOut.Error), aws.ToString(timedOut.Cause)), nil
		}
	}
	return "", nil
}

// message is an error of a function in words. Its cause is JSON around the message.
func message(name, cause string) string {
	var reported struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &reported) == nil && reported.Message != "" {
		cause = reported.Message
	}
	if cause == "" {
		return name
	}
	return cause
}
