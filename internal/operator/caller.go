package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Caller is who types, as AWS knows them. Rights are tried by calls that change nothing.
type Caller interface {
	Identity(ctx context.Context) (account, arn string, err error)
	Rights(ctx context.Context) []Right
	Concurrency(ctx context.Context) (whole, free int32, err error)
}

// Right is one that was tried. Err is nil where the caller has it.
type Right struct {
	Name   string // what it is for
	Needed string // the action, and on what
	Err    error
}

// identity is the part of STS that is called.
type identity interface {
	GetCallerIdentity(ctx context.Context, in *sts.GetCallerIdentityInput, o ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

// limits is the part of Lambda that tells of the account.
type limits interface {
	GetAccountSettings(ctx context.Context, in *lambda.GetAccountSettingsInput, o ...func(*lambda.Options)) (*lambda.GetAccountSettingsOutput, error)
}

// caller asks AWS.
type caller struct {
	identity identity
	limits   limits
	function function
	machine  machine
}

// Identity is the account, and who acts there.
func (c caller) Identity(ctx context.Context) (account, arn string, err error) {
	found, err := c.identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", fmt.Errorf("ask who you are: %w", err)
	}
	return aws.ToString(found.Account), aws.ToString(found.Arn), nil
}

// Rights tries each kind of right that docs name. That to start cannot be tried without a start.
func (c caller) Rights(ctx context.Context) []Right {
	tried := func(name, arn string) Right {
		return Right{Name: name, Needed: "lambda:InvokeFunction on " + arn, Err: c.function.try(ctx, arn)}
	}
	_, err := c.machine.Find(ctx, "backfill-doctor")
	if errors.Is(err, ErrNoExecution) {
		err = nil
	}
	rights := []Right{tried("look", c.function.reader), tried("act", c.function.name)}
	if c.function.registrar != "" {
		rights = append(rights, tried("register", c.function.registrar))
	}
	return append(rights, Right{Name: "follow", Needed: "states:DescribeExecution on executions of " + c.machine.arn, Err: err})
}

// Concurrency is how many invocations the account may have at once, and how many of those no function has reserved.
func (c caller) Concurrency(ctx context.Context) (whole, free int32, err error) {
	found, err := c.limits.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the account's limits: %w", err)
	}
	if found.AccountLimit == nil {
		return 0, 0, errors.New("ask for the account's limits: AWS tells none")
	}
	return found.AccountLimit.ConcurrentExecutions, aws.ToInt32(found.AccountLimit.UnreservedConcurrentExecutions), nil
}

// try asks whether the function may be invoked, and does not invoke it.
func (f function) try(ctx context.Context, name string) error {
	if _, err := f.api.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeDryRun}); err != nil {
		return fmt.Errorf("try to invoke %s: %w", name, err)
	}
	return nil
}
