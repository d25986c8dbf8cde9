package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// stack is the one that is looked at: clients, outputs and names of its parts.
type stack struct {
	name    string
	region  string
	place   string // the region, or the endpoint that stands in for AWS
	local   bool
	lambda  *lambda.Client
	sfn     *sfn.Client
	sqs     *sqs.Client
	logs    *cloudwatchlogs.Client
	iam     *iam.Client
	outputs map[string]string
	parts   map[string]string // by logical id
}

func find(ctx context.Context, name, region, profile string) (*stack, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithSharedConfigProfile(profile))
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	formation := cloudformation.NewFromConfig(loaded)
	described, err := formation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, fmt.Errorf("find stack %s in %s: %w", name, loaded.Region, err)
	}
	resources, err := formation.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &name})
	if err != nil {
		return nil, fmt.Errorf("list what stack %s has: %w", name, err)
	}
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	s := &stack{name: name, region: loaded.Region, place: loaded.Region, local: endpoint != "", outputs: map[string]string{}, parts: map[string]string{},
		lambda: lambda.NewFromConfig(loaded), sfn: sfn.NewFromConfig(loaded), sqs: sqs.NewFromConfig(loaded),
		logs: cloudwatchlogs.NewFromConfig(loaded), iam: iam.NewFromConfig(loaded)}
	if s.local {
		s.place = endpoint
	}
	for _, output := range described.Stacks[0].Outputs {
		s.outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	for _, part := range resources.StackResources {
		s.parts[aws.ToString(part.LogicalResourceId)] = aws.ToString(part.PhysicalResourceId)
	}
	if s.outputs["BackfillStateMachineArn"] == "" || s.parts["WorkerFunction"] == "" {
		return nil, fmt.Errorf("stack %s is none of backfill's", name)
	}
	return s, nil
}

// refusal is an error that a function has answered.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

// ask invokes a door of the control function.
func (s *stack) ask(ctx context.Context, door string, input any) ([]byte, error) {
	payload, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	answer, err := s.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &door, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", door, err)
	}
	if answer.FunctionError != nil {
		return nil, refusal{string(answer.Payload)}
	}
	return answer.Payload, nil
}

func (s *stack) status(ctx context.Context, id string) (status run.Status, err error) {
	answer, err := s.ask(ctx, s.outputs["ControlReadFunctionArn"], map[string]any{"action": "status", "run": id})
	if err != nil {
		return status, err
	}
	return status, json.Unmarshal(answer, &status)
}

// begin registers a definition and starts it; the id of the run is the name of the execution.
func (s *stack) begin(ctx context.Context, name, definition string) (id, execution string, err error) {
	_, err = s.ask(ctx, s.outputs["ControlRegisterFunctionArn"], map[string]any{"action": "register", "definition": definition, "by": "aws-smoke"})
	if err != nil {
		return "", "", fmt.Errorf("register %s: %w", name, err)
	}
	id = name + "-" + time.Now().UTC().Format("20060102-150405")
	started, err := s.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(s.outputs["BackfillStateMachineArn"]),
		Name: &id, Input: aws.String(fmt.Sprintf(`{"action":"start","backfill":%q}`, name))})
	if err != nil {
		return "", "", fmt.Errorf("start %s: %w", name, err)
	}
	return id, aws.ToString(started.ExecutionArn), s.known(ctx, id, started.ExecutionArn)
}

// known waits until the planner has begun the run; before that nobody knows of it. One that is refused never is: its execution has the cause.
func (s *stack) known(ctx context.Context, id string, execution *string) error {
	return await(ctx, 2*time.Minute, time.Second, func() (bool, error) {
		_, err := s.status(ctx, id)
		var refused refusal
		if !errors.As(err, &refused) {
			return err == nil, err
		}
		described, err := s.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: execution})
		if err == nil && described.Status != sfntypes.ExecutionStatusRunning {
			err = fmt.Errorf("run %s did not begin: %s", id, aws.ToString(described.Cause))
		}
		return false, err
	})
}

// await looks every so often until it is so, or the time is over: that is no error, and what was found tells.
func await(ctx context.Context, within, every time.Duration, met func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		done, err := met()
		if done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil
			}
			return ctx.Err()
		}
	}
}

// ends waits until the run has ended, or may not come to it.
func (s *stack) ends(ctx context.Context, id string, within time.Duration) (status run.Status, err error) {
	err = await(ctx, within, 2*time.Second, func() (bool, error) {
		status, err = s.status(ctx, id)
		return status.State.Ended(), err
	})
	return status, err
}
