package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// right is an action on a part of the stack, or on everything ("*").
type right struct{ action, on string }

// rights are some that each role has, without which the denial of others would show nothing, and some that it must not have.
var rights = []struct {
	role            string
	allowed, denied []right
}{
	{"planner", []right{{"sqs:SendMessage", "Queue"}, {"dynamodb:PutItem", "Table"}},
		[]right{{"sqs:ReceiveMessage", "Queue"}, {"states:StartExecution", "*"}, {"dynamodb:DeleteTable", "Table"}, {"iam:PassRole", "*"}}},
	{"worker", []right{{"sqs:ReceiveMessage", "Queue"}, {"dynamodb:UpdateItem", "Table"}},
		[]right{{"sqs:SendMessage", "Queue"}, {"dynamodb:DeleteItem", "Table"}, {"lambda:InvokeFunction", "*"}, {"s3:GetObject", "*"}}},
	{"governor", []right{{"sqs:SendMessage", "Queue"}, {"dynamodb:Query", "Table"}},
		[]right{{"states:StopExecution", "*"}, {"lambda:UpdateFunctionCode", "*"}, {"sqs:DeleteMessage", "Queue"}}},
	{"control", []right{{"dynamodb:GetItem", "Table"}},
		[]right{{"sqs:SendMessage", "Queue"}, {"states:StartExecution", "*"}, {"lambda:InvokeFunction", "*"}, {"dynamodb:DeleteItem", "Table"}}},
}

// rights asks IAM what the roles may do; nothing is tried.
func (s *stack) rights(ctx context.Context) ([]check, error) {
	if s.local {
		return []check{{what: "IAM: what roles may do", skipped: "LocalStack enforces no policies, and its simulation compares texts: ..-chunks is in ..-chunks-dead"}}, nil
	}
	var checks []check
	for _, one := range rights {
		part := strings.ToUpper(one.role[:1]) + one.role[1:] + "Role"
		role, err := s.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(s.parts[part])})
		if err != nil {
			return checks, fmt.Errorf("read the role of the %s: %w", one.role, err)
		}
		for allowed, asked := range map[bool][]right{true: one.allowed, false: one.denied} {
			var want, got []string
			for _, r := range asked {
				may, err := s.may(ctx, aws.ToString(role.Role.Arn), r)
				if err != nil {
					return checks, fmt.Errorf("ask what the %s may do: %w", one.role, err)
				}
				want = append(want, r.action)
				if may == allowed {
					got = append(got, r.action)
				}
			}
			checks = append(checks, judgeRight(one.role, allowed, want, got))
		}
	}
	return checks, nil
}

func (s *stack) may(ctx context.Context, role string, r right) (bool, error) {
	resource := r.on
	if r.on != "*" {
		resource = s.arn(role, r.on)
	}
	answer, err := s.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &role, ActionNames: []string{r.action}, ResourceArns: []string{resource}})
	if err != nil {
		return false, err
	}
	return len(answer.EvaluationResults) == 1 && answer.EvaluationResults[0].EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed, nil
}

// arn is that of the queue or the table; partition and account are those of a role.
func (s *stack) arn(role, part string) string {
	fields := strings.Split(role, ":")
	partition, account := fields[1], fields[4]
	if part == "Table" {
		return fmt.Sprintf("arn:%s:dynamodb:%s:%s:table/%s", partition, s.region, account, s.outputs["TableName"])
	}
	return fmt.Sprintf("arn:%s:sqs:%s:%s:%s-chunks", partition, s.region, account, s.name)
}
