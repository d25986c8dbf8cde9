package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// Stack is a stack that was found.
type Stack struct {
	Control    Control
	Executions Executions
	Caller     Caller
}

// Control answers actions. Look goes by the alias that serves only what changes nothing, Register by the one that only
// registers definitions.
type Control interface {
	Look(ctx context.Context, action any) (json.RawMessage, error)
	Act(ctx context.Context, action any) (json.RawMessage, error)
	Register(ctx context.Context, action any) (json.RawMessage, error)
}

// Executions are those of the state machine that people start. Start answers ErrExecutionExists, Find ErrNoExecution;
// Trouble is the error for which a step is tried again; Accepted tells whether the planner has taken on what was asked.
type Executions interface {
	Start(ctx context.Context, id string, input []byte) error
	Find(ctx context.Context, id string) (Execution, error)
	Trouble(ctx context.Context, id string) (string, error)
	Accepted(ctx context.Context, id string) (bool, error)
}

// Connect finds a stack by its outputs.
func Connect(ctx context.Context, at Place) (Stack, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(at.Profile),
		config.WithRegion(at.Region), config.WithLogger(logging.Nop{})) // a fault says what the SDK would log
	if err != nil {
		return Stack{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return Stack{}, &Fault{Exit: exitUnreachable, Message: "no AWS region is set", Next: "give --region, or set AWS_REGION"}
	}
	outputs, err := describe(ctx, cloudformation.NewFromConfig(loaded), at.Stack)
	if err != nil {
		return Stack{}, fmt.Errorf("find stack %s in %s: %w", at.Stack, loaded.Region, err)
	}
	var missing []error
	output := func(key string) string {
		if outputs[key] == "" {
			missing = append(missing, fmt.Errorf("stack %s has no output %s", at.Stack, key))
		}
		return outputs[key]
	}
	functions, machines := lambda.NewFromConfig(loaded), sfn.NewFromConfig(loaded)
	control := function{api: functions, name: output("ControlFunctionName"), reader: output("ControlReadFunctionArn"),
		registrar: outputs["ControlRegisterFunctionArn"]} // a stack that was deployed before there was one serves the rest
	started := machine{api: machines, arn: output("BackfillStateMachineArn")}
	stack := Stack{Control: control, Executions: started,
		Caller: caller{identity: sts.NewFromConfig(loaded), limits: functions, function: control, machine: started}}
	if err := errors.Join(missing...); err != nil {
		return stack, &Fault{Exit: exitUnreachable, Message: err.Error(), Next: "give the stack of backfill by --stack or BACKFILL_STACK"}
	}
	return stack, nil
}

// describer is the part of CloudFormation that is called.
type describer interface {
	DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, o ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
}

func describe(ctx context.Context, api describer, name string) (map[string]string, error) {
	described, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for _, stack := range described.Stacks {
		for _, output := range stack.Outputs {
			outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
		}
	}
	return outputs, nil
}
