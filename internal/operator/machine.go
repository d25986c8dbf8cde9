package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

var (
	// ErrNoExecution is returned by Find where nothing was started under the name.
	ErrNoExecution = errors.New("no such execution")
	// ErrExecutionExists is returned by Start where the name was used before.
	ErrExecutionExists = errors.New("an execution of this name exists")
)

// Execution is how Step Functions sees a run.
type Execution struct {
	Running      bool
	Input        string
	Error, Cause string // "" where it goes on, or succeeded
	Skipped      string // why there is no run though it succeeded; "": there is
}

// states is the part of Step Functions that is called.
type states interface {
	history
	StartExecution(ctx context.Context, in *sfn.StartExecutionInput, o ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, o ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// machine is the state machine that people start.
type machine struct {
	api states
	arn string
}

// Start begins the execution whose name is the run's id.
func (m machine) Start(ctx context.Context, id string, input []byte) error {
	_, err := m.api.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &m.arn, Name: &id, Input: aws.String(string(input)),
	})
	var exists *types.ExecutionAlreadyExists
	if errors.As(err, &exists) {
		return fmt.Errorf("start execution %s: %w", id, ErrExecutionExists)
	}
	if err != nil {
		return fmt.Errorf("start execution %s: %w", id, err)
	}
	return nil
}

// Find reads the execution of a name.
func (m machine) Find(ctx context.Context, id string) (Execution, error) {
	found, err := m.api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(m.execution(id))})
	var none *types.ExecutionDoesNotExist
	if errors.As(err, &none) {
		return Execution{}, fmt.Errorf("read execution %s: %w", id, ErrNoExecution)
	}
	if err != nil {
		return Execution{}, fmt.Errorf("read execution %s: %w", id, err)
	}
	execution := Execution{
		Running: found.Status == types.ExecutionStatusRunning || found.Status == types.ExecutionStatusPendingRedrive,
		Input:   aws.ToString(found.Input), Error: aws.ToString(found.Error), Cause: aws.ToString(found.Cause),
	}
	if !execution.Running && found.Status != types.ExecutionStatusSucceeded && execution.Error == "" {
		execution.Error = "execution " + strings.ToLower(string(found.Status))
	}
	execution.Skipped = skipped(aws.ToString(found.Output))
	return execution, nil
}

// skipped is the reason in the output of an execution that passed over its start.
func skipped(output string) string {
	var last turn.Turn
	if json.Unmarshal([]byte(output), &last) != nil || last.Next != turn.Skip {
		return ""
	}
	return last.Reason
}

// execution is the ARN of the execution of a name.
func (m machine) execution(id string) string {
	return strings.Replace(m.arn, ":stateMachine:", ":execution:", 1) + ":" + id
}
