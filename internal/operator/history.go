package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// recent is how many of an execution's last events are looked at.
const recent = 10

// history is the part of Step Functions that tells what an execution did.
type history interface {
	GetExecutionHistory(ctx context.Context, in *sfn.GetExecutionHistoryInput, o ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
}

// Trouble is the last error of an execution that goes on, where Step Functions tries again; "" where there is none. A
// refusal is final: it is told when the execution has ended.
func (m machine) Trouble(ctx context.Context, id string) (string, error) {
	told, err := m.api.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{
		ExecutionArn: aws.String(m.execution(id)), ReverseOrder: true, MaxResults: recent,
	})
	if err != nil {
		return "", fmt.Errorf("read the history of execution %s: %w", id, err)
	}
	for _, event := range told.Events {
		if failed := event.TaskFailedEventDetails; failed != nil {
			if final(failure.Class(aws.ToString(failed.Error))) {
				return "", nil
			}
			return message(aws.ToString(failed.Error), aws.ToString(failed.Cause)), nil
		}
		if timedOut := event.TaskTimedOutEventDetails; timedOut != nil {
			return message(aws.ToString(timedOut.Error), aws.ToString(timedOut.Cause)), nil
		}
	}
	return "", nil
}

// final tells the classes that are not tried again.
func final(class failure.Class) bool {
	return class == failure.Invalid || class == failure.Busy || class == failure.Permanent
}

const (
	// taken is the state that follows the planner's first answer.
	taken = "AfterBegin"
	// beginning is more events than there are before it, however often the planner is tried again.
	beginning = 50
)

// Accepted tells whether the planner has taken on what the execution asks for.
func (m machine) Accepted(ctx context.Context, id string) (bool, error) {
	told, err := m.api.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{
		ExecutionArn: aws.String(m.execution(id)), MaxResults: beginning, IncludeExecutionData: aws.Bool(false),
	})
	var none *types.ExecutionDoesNotExist
	if errors.As(err, &none) { // Step Functions shows it a moment later
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the history of execution %s: %w", id, err)
	}
	return slices.ContainsFunc(told.Events, func(event types.HistoryEvent) bool {
		return event.StateEnteredEventDetails != nil && aws.ToString(event.StateEnteredEventDetails.Name) == taken
	}), nil
}

// message is an error that Step Functions tells of in words.
func message(name, cause string) string {
	name, cause = caught(name, cause)
	if cause == "" {
		return name
	}
	return cause
}

// caught takes apart what Step Functions tells: the cause of a function's error is JSON around its message, and that of an
// execution whose run could not be closed is JSON around the error that was caught.
func caught(name, cause string) (innermost, text string) {
	var told struct {
		Error, Cause string
		Message      string `json:"errorMessage"`
	}
	switch err := json.Unmarshal([]byte(cause), &told); {
	case err == nil && told.Error != "":
		return caught(told.Error, told.Cause)
	case err == nil && told.Message != "":
		return name, told.Message
	}
	return name, cause
}
