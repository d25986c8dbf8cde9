// Package execution stops executions of Step Functions, wakes those that wait, and tells whether one runs still.
//
// It owns the calls and what counts as done. Invariant: stopping an execution that has ended, or is gone, is no error; nor
// is waking a task that waits no more.
package execution

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// mostCause is what Step Functions takes as a cause, in characters.
const mostCause = 32_768

// API is the part of Step Functions that is called.
type API interface {
	StopExecution(ctx context.Context, in *sfn.StopExecutionInput, o ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
	DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, o ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	SendTaskSuccess(ctx context.Context, in *sfn.SendTaskSuccessInput, o ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error)
}

// Executions stops, wakes and looks at executions.
type Executions struct{ api API }

// New makes it.
func New(api API) Executions { return Executions{api: api} }

// Stop ends an execution with a cause.
func (e Executions) Stop(ctx context.Context, arn, cause string) error {
	_, err := e.api.StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: &arn, Error: aws.String(failure.RunCancelled), Cause: aws.String(shortened(cause)),
	})
	var gone *types.ExecutionDoesNotExist
	if err == nil || errors.As(err, &gone) {
		return nil
	}
	return failure.As(failure.Transient, fmt.Errorf("stop execution %s: %w", arn, err))
}

// Wake lets the execution go on whose task waits under the token.
func (e Executions) Wake(ctx context.Context, token string) error {
	_, err := e.api.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String("{}")})
	var gone *types.TaskDoesNotExist
	var over *types.TaskTimedOut
	var unknown *types.InvalidToken
	if err == nil || errors.As(err, &gone) || errors.As(err, &over) || errors.As(err, &unknown) {
		return nil
	}
	return failure.As(failure.Transient, fmt.Errorf("wake the execution that waits: %w", err))
}

// Running tells whether an execution goes on; false where it is gone as well.
func (e Executions) Running(ctx context.Context, arn string) (bool, error) {
	out, err := e.api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	var gone *types.ExecutionDoesNotExist
	if errors.As(err, &gone) {
		return false, nil
	}
	if err != nil {
		return false, failure.As(failure.Transient, fmt.Errorf("look at execution %s: %w", arn, err))
	}
	return out.Status == types.ExecutionStatusRunning, nil
}

// shortened cuts a cause between two characters: half of one would arrive as another.
func shortened(cause string) string {
	characters := 0
	for i := range cause {
		if characters == mostCause {
			return cause[:i]
		}
		characters++
	}
	return cause
}
