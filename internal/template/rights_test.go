package template_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// needs are the actions of IAM that a call of the SDK asks for. A transaction asks for those of its parts.
var needs = map[string]string{
	"dynamodb.GetItem": "dynamodb:GetItem", "dynamodb.BatchGetItem": "dynamodb:BatchGetItem", "dynamodb.Query": "dynamodb:Query",
	"dynamodb.PutItem": "dynamodb:PutItem", "dynamodb.UpdateItem": "dynamodb:UpdateItem", "dynamodb.DeleteItem": "dynamodb:DeleteItem",
	"dynamodb/types.Put": "dynamodb:PutItem", "dynamodb/types.Update": "dynamodb:UpdateItem", "dynamodb.TransactWriteItems": "",

	"secretsmanager.GetSecretValue": "secretsmanager:GetSecretValue", "cloudwatch.DescribeAlarms": "cloudwatch:DescribeAlarms",
	"sqs.SendMessageBatch": "sqs:SendMessage", "sqs.ReceiveMessage": "sqs:ReceiveMessage", "sqs.DeleteMessageBatch": "sqs:DeleteMessage",
	"sfn.DescribeExecution": "states:DescribeExecution", "sfn.StopExecution": "states:StopExecution", "sfn.SendTaskSuccess": "states:SendTaskSuccess",

	"sfn.StartExecution": "states:StartExecution", "sfn.GetExecutionHistory": "states:GetExecutionHistory",
	"lambda.Invoke": "lambda:InvokeFunction", "cloudformation.DescribeStacks": "cloudformation:DescribeStacks",
	"lambda.GetAccountSettings": "lambda:GetAccountSettings", "sts.GetCallerIdentity": "",
}

// inTheirName are the actions that AWS takes in a function's name, with what for.
var inTheirName = map[string]string{
	"logs:CreateLogStream": "Lambda writes the log", "logs:PutLogEvents": "Lambda writes the log",
	"xray:PutTraceSegments": "Lambda's daemon sends traces", "xray:PutTelemetryRecords": "Lambda's daemon sends traces",
	"ec2:CreateNetworkInterface": "Lambda attaches to the VPC", "ec2:DeleteNetworkInterface": "Lambda attaches to the VPC",
	"ec2:DescribeNetworkInterfaces": "Lambda attaches to the VPC", "ec2:DescribeSubnets": "Lambda attaches to the VPC",
	"ec2:AssignPrivateIpAddresses": "Lambda attaches to the VPC", "ec2:UnassignPrivateIpAddresses": "Lambda attaches to the VPC",
	"rds-db:connect": "the database asks for it where a token comes in place of a password",
	"kms:Decrypt":    "DynamoDB, SQS and Secrets Manager read with it",
}

// besides are those of one function alone.
var besides = map[string]map[string]string{
	"Planner":  {"kms:GenerateDataKey": "SQS encrypts a message"},
	"Governor": {"kms:GenerateDataKey": "SQS encrypts a message"},
	"Worker": {"sqs:ReceiveMessage": "the event source mapping receives", "sqs:DeleteMessage": "the event source mapping receives",
		"sqs:GetQueueAttributes": "the event source mapping receives"},
	"Control": {"sqs:SendMessage": "Lambda sends what no try could handle", "kms:GenerateDataKey": "SQS encrypts a message"},
}

// TestEachCallIsAllowedAndEachRightIsUsed reads which calls to AWS each function can come to.
func TestEachCallIsAllowedAndEachRightIsUsed(t *testing.T) {
	t.Parallel()
	for function := range readers {
		short := strings.TrimSuffix(function, "Function")
		may := actions(resource(t, short+"Role"))
		maps.Copy(may, statements(resource(t, "RuntimePolicy").at("PolicyDocument")))
		used := maps.Clone(inTheirName)
		maps.Copy(used, besides[short])
		for _, called := range callsOf(t, "functions/"+strings.ToLower(short)) {
			action, known := needs[called]
			if !known {
				t.Errorf("%s calls %s: add what IAM asks for to needs, and the right to %sRole", function, called, short)
			}
			if _, allowed := may[action]; action != "" && !allowed {
				t.Errorf("%s calls %s, and %sRole lacks %s", function, called, short, action)
			}
			used[action] = called
		}
		for action := range may {
			if used[action] == "" {
				t.Errorf("%sRole may %s, and nothing of %s calls it", short, action, function)
			}
		}
	}
}

// TestTheLoginsAreThoseAlone: the secrets, or the role at the database, that the stack was given.
func TestTheLoginsAreThoseAlone(t *testing.T) {
	t.Parallel()
	may := statements(resource(t, "RuntimePolicy").at("PolicyDocument"))
	for action, want := range map[string]string{
		"secretsmanager:GetSecretValue": "DatabaseSecretArn DatabaseSecretArns", "rds-db:connect": "dbuser:${DatabaseResourceId}/${DatabaseUser}",
	} {
		if may[action] != want {
			t.Errorf("%s is on %s, want %s", action, may[action], want)
		}
	}
}

// integrations are the actions that a state machine takes by a Resource of its tasks.
var integrations = map[string][]string{
	"lambda:invoke":                  {"lambda:InvokeFunction"},
	"lambda:invoke.waitForTaskToken": {"lambda:InvokeFunction"},
	"sns:publish":                    {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"},
	"states:startExecution.sync:2": {"states:StartExecution", "states:DescribeExecution", "states:StopExecution",
		"events:PutTargets", "events:PutRule", "events:DescribeRule"},
}

// TestEachTaskIsAllowed is the same for the state machines, whose calls are their tasks.
func TestEachTaskIsAllowed(t *testing.T) {
	t.Parallel()
	for logicalID, definition := range machines {
		used := delivery()
		jsonFile(t, definition).everywhere(func(state node) {
			task, ok := state.get("Resource")
			if !ok {
				return
			}
			_, integration, _ := strings.Cut(task.text(), "states:::")
			if integrations[integration] == nil {
				t.Errorf("%s has a task of %s: add what IAM asks for to integrations", definition, task.text())
			}
			for _, action := range integrations[integration] {
				used[action] = integration
			}
		})
		role := strings.TrimSuffix(logicalID, "StateMachine") + "Role"
		may := actions(resource(t, role))
		if got, want := slices.Sorted(maps.Keys(may)), slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
			t.Errorf("%s may %v, and its tasks need %v", role, got, want)
		}
	}
}

// unbound are the actions that are on more than what the stack has made, with the reason.
var unbound = map[string]string{
	"xray:PutTraceSegments": "X-Ray knows no resources", "xray:PutTelemetryRecords": "X-Ray knows no resources",
	"xray:GetSamplingRules": "X-Ray knows no resources", "xray:GetSamplingTargets": "X-Ray knows no resources",
	"logs:CreateLogDelivery": "log delivery knows no resources", "logs:GetLogDelivery": "log delivery knows no resources",
	"logs:UpdateLogDelivery": "log delivery knows no resources", "logs:DeleteLogDelivery": "log delivery knows no resources",
	"logs:ListLogDeliveries": "log delivery knows no resources", "logs:PutResourcePolicy": "it is the account's one policy",
	"logs:DescribeResourcePolicies": "it is the account's one policy", "logs:DescribeLogGroups": "Step Functions lists them all",
	"ec2:DescribeNetworkInterfaces": "EC2 knows no resources to describe", "ec2:DescribeSubnets": "EC2 knows no resources to describe",
	"ec2:CreateNetworkInterface": "the interface has no name before it is there", "ec2:DeleteNetworkInterface": "Lambda asks for any",
	"ec2:AssignPrivateIpAddresses": "Lambda's interfaces have names of its own", "ec2:UnassignPrivateIpAddresses": "Lambda's interfaces have names of its own",
	"states:StopExecution": "executions of this stack's state machine alone", "states:DescribeExecution": "executions of this stack's state machine alone",
}

// TestNoWildcards: no action has one, and no resource but for what is listed.
func TestNoWildcards(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, part := range template(t).at("Resources").each() {
		if !strings.HasPrefix(part.at("Type").text(), "AWS::IAM::") {
			continue
		}
		part.everywhere(func(statement node) {
			if effect, ok := statement.get("Effect"); !ok || effect.text() != "Allow" {
				return
			}
			for _, action := range statement.at("Action").texts() {
				if strings.Contains(action, "*") {
					t.Errorf("%s allows %s", statement.path, action)
				}
				if _, trust := statement.get("Principal"); trust || !strings.Contains(on(statement.at("Resource")), "*") {
					continue
				}
				if seen[action] = true; unbound[action] == "" {
					t.Errorf("%s allows %s on %s", statement.path, action, on(statement.at("Resource")))
				}
			}
		})
	}
	for action := range unbound {
		if !seen[action] {
			t.Errorf("%s is listed, and bound everywhere", action)
		}
	}
}
