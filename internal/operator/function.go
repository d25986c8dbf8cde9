package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// patience is more than the control function's timeout, with the time to start it.
const patience = 90 * time.Second

// invoker is the part of Lambda that is called.
type invoker interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, o ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// function is the control function; reader is its alias that only looks, registrar the one that only registers.
type function struct {
	api                     invoker
	name, reader, registrar string
}

// Look asks for what changes nothing.
func (f function) Look(ctx context.Context, action any) (json.RawMessage, error) {
	return f.invoke(ctx, f.reader, action)
}

// Act asks for what changes something, or reads the database.
func (f function) Act(ctx context.Context, action any) (json.RawMessage, error) {
	return f.invoke(ctx, f.name, action)
}

// Register asks for a definition to be registered.
func (f function) Register(ctx context.Context, action any) (json.RawMessage, error) {
	if f.registrar == "" {
		return nil, &Fault{Exit: exitUnreachable, Message: "the stack has no output ControlRegisterFunctionArn: it is older than this command",
			Next: "deploy this version of the stack"}
	}
	return f.invoke(ctx, f.registrar, action)
}

func (f function) invoke(ctx context.Context, name string, action any) (json.RawMessage, error) {
	payload, err := json.Marshal(action)
	if err != nil {
		return nil, fmt.Errorf("write the action: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := f.api.Invoke(bounded, &lambda.InvokeInput{FunctionName: &name, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", name, err)
	}
	if answer.FunctionError != nil {
		return nil, answered(name, answer.Payload)
	}
	return answer.Payload, nil
}
