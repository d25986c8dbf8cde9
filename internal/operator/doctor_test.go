package operator

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

var doctors = map[string]transcript{
	"doctor":          {[]string{"doctor"}, examined(account{free: 990}, healthy)},
	"doctor-several":  {[]string{"doctor"}, examined(account{free: 990}, severally)},
	"doctor-json":     {[]string{"doctor", "-o", "json"}, examined(account{free: 990}, sick)},
	"doctor-sick":     {[]string{"doctor", "--stack", "prod"}, examined(account{free: 4, denied: "ControlFunction"}, sick)},
	"doctor-terminal": {[]string{"doctor"}, on(60, examined(account{free: 990}, sick))},
	"doctor-blind":    {[]string{"doctor"}, examined(account{denied: "read"}, forbidden)},
	"doctor-old":      {[]string{"doctor"}, examined(account{free: 990}, classed("Backfill.Invalid", `action "doctor" is not known; one of cancel, status`))},
	"doctor-cut-off":  {[]string{"doctor"}, cutOff()},
	"help-doctor":     {[]string{"doctor", "--help"}, nil},
}

func TestDoctor(t *testing.T) { transcribe(t, doctors) }

var (
	healthy = map[string]any{"checks": []check{{Name: "connection", State: well, Text: "role app in database shop, had within 12ms", Remedy: ""}, {Name: "ledger", State: well, Text: "schema backfill has version 16", Remedy: ""}}}
	sick    = map[string]any{"checks": []check{
		{Name: "connection", State: well, Text: "role app in database shop, had within 12ms", Remedy: ""},
		{Name: "signals", State: minor, Text: "role app does not see what other sessions do", Remedy: "GRANT pg_read_all_stats TO app"},
		{Name: "ledger", State: ill, Text: "role app may not make the schema backfill", Remedy: "CREATE SCHEMA backfill AUTHORIZATION app"},
	}}
	severally = map[string]any{"checks": []check{
		{Name: "records", State: well, Text: "DynamoDB answers"},
		{Name: "connection", State: well, Text: "role app in database shop, had within 12ms", Database: "default"},
		{Name: "ledger", State: well, Text: "schema backfill has version 16", Database: "default"},
		{Name: "connection", State: ill, Text: "dial tcp: connection refused", Remedy: "check the inbound rule of the database", Database: "orders"},
	}}
	forbidden = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
)

func examined(a account, answer any) func(*bundle) {
	return func(b *bundle) {
		b.control.answers["doctor"] = []any{answer}
		b.caller = caller{identity: a, limits: a, function: function{api: a, name: "ControlFunction", reader: "ControlFunction:read", registrar: "ControlFunction:register"},
			machine: machine{api: unstarted{}, arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:backfill"}}
	}
}

// account is one with so many invocations that are not reserved; one function may not be invoked.
type account struct {
	free   int32
	denied string
}

func (account) GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: aws.String("123456789012"), Arn: aws.String("arn:aws:iam::123456789012:user/ann")}, nil
}

func (a account) GetAccountSettings(context.Context, *lambda.GetAccountSettingsInput, ...func(*lambda.Options)) (*lambda.GetAccountSettingsOutput, error) {
	if a.free == 0 {
		return nil, forbidden
	}
	return &lambda.GetAccountSettingsOutput{AccountLimit: &types.AccountLimit{ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: &a.free}}, nil
}

func (a account) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	switch {
	case in.InvocationType != types.InvocationTypeDryRun:
		return nil, errors.New("the function was invoked")
	case *in.FunctionName == a.denied || *in.FunctionName == "ControlFunction:"+a.denied:
		return nil, forbidden
	}
	return &lambda.InvokeOutput{StatusCode: 204}, nil
}

// unstarted has no execution.
type unstarted struct{ states }

func (unstarted) DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	return nil, &sfntypes.ExecutionDoesNotExist{}
}
