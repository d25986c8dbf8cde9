package template_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// granted is what each role may do: with each action, what on. Whoever adds a call to AWS adds it here and in
// template.yaml, and whoever reviews it sees both.
var granted = map[string]map[string]string{
	"PlannerRole": merge(records(), map[string]string{
		"logs:CreateLogStream": "PlannerLogGroup", "logs:PutLogEvents": "PlannerLogGroup", "sqs:SendMessage": "Queue",
		"dynamodb:Query": "Table Table/index/runs", "kms:GenerateDataKey": "KmsKeyArn",
	}),
	"WorkerRole": {
		"logs:CreateLogStream": "WorkerLogGroup", "logs:PutLogEvents": "WorkerLogGroup", "dynamodb:UpdateItem": "Table",
		// No sqs:SendMessage: a worker that sends to its own queue is a loop.
		"sqs:ReceiveMessage": "Queue", "sqs:DeleteMessage": "Queue", "sqs:GetQueueAttributes": "Queue",
	},
	"GovernorRole": merge(records(), map[string]string{
		"logs:CreateLogStream": "GovernorLogGroup", "logs:PutLogEvents": "GovernorLogGroup", "sqs:SendMessage": "Queue",
		"sqs:ReceiveMessage": "DeadLetterQueue", "sqs:DeleteMessage": "DeadLetterQueue",
		"cloudwatch:DescribeAlarms": "AlarmArns", // where there are any
		"kms:GenerateDataKey":       "KmsKeyArn",
	}),
	"ControlRole": {
		"logs:CreateLogStream": "ControlLogGroup", "logs:PutLogEvents": "ControlLogGroup",
		"dynamodb:GetItem": "Table", "dynamodb:BatchGetItem": "Table", "dynamodb:PutItem": "Table", "dynamodb:UpdateItem": "Table",
		"dynamodb:Query":       "Table Table/index/runs",
		"states:StopExecution": "execution:${AWS::StackName}-segment:*", "sqs:SendMessage": "CloseDeadLetterQueue",
		"states:DescribeExecution": "execution:${AWS::StackName}-backfill:*",
		"states:SendTaskSuccess":   "stateMachine:${AWS::StackName}-backfill",
		"kms:GenerateDataKey":      "KmsKeyArn",
	},
	"BackfillRole": merge(delivery(), map[string]string{
		"lambda:InvokeFunction": "PlannerFunction ControlFunction", "sns:Publish": "Topic", "states:StartExecution": "SegmentStateMachine",
		"states:DescribeExecution": "execution:${AWS::StackName}-segment:*", "states:StopExecution": "execution:${AWS::StackName}-segment:*",
		"events:PutTargets":   "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
		"events:PutRule":      "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
		"events:DescribeRule": "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
		"kms:Decrypt":         "KmsKeyArn", "kms:GenerateDataKey": "KmsKeyArn",
	}),
	"SegmentRole": merge(delivery(), map[string]string{"lambda:InvokeFunction": "PlannerFunction GovernorFunction"}),
	"ScheduleRole": {"states:StartExecution": "stateMachine:${AWS::StackName}-backfill", "sqs:SendMessage": "ScheduleDeadLetterQueue",
		"lambda:InvokeFunction": "function:${AWS::StackName}-control",
		"kms:Decrypt":           "KmsKeyArn", "kms:GenerateDataKey": "KmsKeyArn"},
}

// records are the actions of internal/records in planner and governor. A transaction needs those of its parts.
func records() map[string]string {
	actions := map[string]string{}
	for _, action := range []string{"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"} {
		actions["dynamodb:"+action] = "Table"
	}
	return actions
}

// delivery are the actions that know no resource: logs and traces of a state machine.
func delivery() map[string]string {
	actions := map[string]string{}
	for _, action := range []string{"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
		"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
		"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"} {
		actions[action] = "*"
	}
	return actions
}

func merge(into, from map[string]string) map[string]string {
	for action, on := range from {
		into[action] = on
	}
	return into
}

func TestRolesMayDoWhatTheyNeedAndNoMore(t *testing.T) {
	t.Parallel()
	for logicalID, part := range template(t).at("Resources").each() {
		if part.at("Type").text() != "AWS::IAM::Role" {
			continue
		}
		want, known := granted[logicalID]
		if !known {
			t.Errorf("%s is not in the table of this test", logicalID)
		}
		got := actions(part.at("Properties"))
		for action, on := range got {
			if want[action] != on {
				t.Errorf("%s may %s on %s, and should on %q", logicalID, action, on, want[action])
			}
		}
		for action := range want {
			if _, ok := got[action]; !ok {
				t.Errorf("%s lacks %s", logicalID, action)
			}
		}
	}
}

// actions are those of a role's own policies, with what they are on.
func actions(role node) map[string]string {
	all := map[string]string{}
	for _, policy := range role.at("Policies").each() {
		maps.Copy(all, statements(policy.at("PolicyDocument")))
	}
	return all
}

// statements are the actions that a document allows where all conditions of the template hold, with what they are on.
func statements(document node) map[string]string {
	all := map[string]string{}
	for _, statement := range document.at("Statement").each() {
		if _, conditional := statement.get("Fn::If"); conditional {
			statement = statement.at("Fn::If").each()["1"]
		}
		if statement.at("Effect").text() != "Allow" {
			continue
		}
		for _, action := range statement.at("Action").texts() {
			all[action] = strings.Join(slices.Sorted(slices.Values(append(strings.Fields(all[action]), on(statement.at("Resource"))))), " ")
		}
	}
	return all
}

// on names resources shortly: logical ids, and the last part of an ARN.
func on(resource node) string {
	if list, ok := resource.value.([]any); ok {
		names := make([]string, len(list))
		for i, item := range list {
			names[i] = on(node{resource.t, resource.path, item})
		}
		return strings.Join(names, " ")
	}
	for _, function := range []string{"Fn::GetAtt", "Fn::Sub", "Ref"} {
		if value, ok := resource.get(function); ok {
			_, name, isARN := strings.Cut(value.text(), "${AWS::AccountId}:")
			if !isARN {
				name = value.text()
			}
			return strings.NewReplacer("${Table.Arn}", "Table", ".Arn", "").Replace(name)
		}
	}
	return resource.text()
}

// TestRightsOfTheControlFunction: an alias is what IAM grants beside the function, so nobody is granted more than one of
// the three by the way. The names are those that package control goes by.
func TestRightsOfTheControlFunction(t *testing.T) {
	t.Parallel()
	names := map[string]string{}
	for logicalID, part := range template(t).at("Resources").each() {
		if part.at("Type").text() == "AWS::Lambda::Alias" {
			names[logicalID] = part.at("Properties", "Name").text()
			if got := part.at("Properties", "FunctionName", "Ref").text(); got != "ControlFunction" {
				t.Errorf("%s is an alias of %s", logicalID, got)
			}
		}
	}
	want := map[string]string{"ControlReadAlias": "read", "ControlRegisterAlias": "register"}
	if !maps.Equal(names, want) {
		t.Errorf("aliases are %v, want %v", names, want)
	}
	for role, may := range granted {
		for _, on := range strings.Fields(may["lambda:InvokeFunction"]) {
			if strings.Contains(on, "Alias") || strings.HasSuffix(on, "*") || strings.HasSuffix(on, "control:") {
				t.Errorf("%s may invoke %s", role, on)
			}
		}
	}
}

// TestFunctionsHaveRolesOfTheirOwn: without one SAM attaches broad policies for queues.
func TestFunctionsHaveRolesOfTheirOwn(t *testing.T) {
	t.Parallel()
	for function := range readers {
		want := strings.TrimSuffix(function, "Function") + "Role.Arn"
		if got := resource(t, function).at("Role", "Fn::GetAtt").text(); got != want {
			t.Errorf("%s has role %s", function, got)
		}
	}
}

// TestSharedPolicy: what every function has is in the name of AWS' own services, but for the secrets.
func TestSharedPolicy(t *testing.T) {
	t.Parallel()
	for action, on := range statements(resource(t, "RuntimePolicy").at("PolicyDocument")) {
		if inTheirName[action] == "" && action+on != "secretsmanager:GetSecretValueDatabaseSecretArn DatabaseSecretArns" {
			t.Errorf("every function may %s on %s", action, on)
		}
	}
}

// TestKeysAreUsedThroughServicesOnly: a key may encrypt more than what is the stack's.
func TestKeysAreUsedThroughServicesOnly(t *testing.T) {
	t.Parallel()
	found := 0
	template(t).at("Resources").everywhere(func(statement node) {
		action, ok := statement.get("Action")
		if !ok || !strings.HasPrefix(action.texts()[0], "kms:") {
			return
		}
		found++
		statement.at("Condition", "StringEquals", "kms:ViaService")
		if key := on(statement.at("Resource")); key != "KmsKeyArn" && key != "SecretKmsKeyArn" {
			t.Errorf("%s is on %s", statement.path, key)
		}
	})
	if found != 7 {
		t.Errorf("%d statements use a key", found)
	}
}
