package template_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ofType are the resources of a type, by logical id.
func ofType(t testing.TB, kind string) map[string]node {
	t.Helper()
	found := map[string]node{}
	for logicalID, part := range template(t).at("Resources").each() {
		if part.at("Type").text() == kind {
			found[logicalID] = part
		}
	}
	if len(found) == 0 {
		t.Fatalf("the template has no %s", kind)
	}
	return found
}

// isIf fails unless a value is !If [condition, !Ref reference, otherwise].
func isIf(t *testing.T, value node, condition, reference string, otherwise any) {
	t.Helper()
	branches := value.at("Fn::If").each()
	if branches["0"].text() != condition || branches["1"].ref() != reference {
		t.Errorf("%s is %v, not !If [%s, !Ref %s, ..]", value.path, value.value, condition, reference)
	}
	last := branches["2"].value
	if absent, ok := branches["2"].get("Ref"); ok && absent.text() == "AWS::NoValue" {
		last = nil
	}
	if last != otherwise {
		t.Errorf("%s is %v where %s does not hold", value.path, last, condition)
	}
}

// TestBoundary: an organization that asks for one refuses every role without it.
func TestBoundary(t *testing.T) {
	t.Parallel()
	for _, role := range ofType(t, "AWS::IAM::Role") {
		isIf(t, role.at("Properties", "PermissionsBoundary"), "HasBoundary", "PermissionsBoundaryArn", nil)
	}
	for _, kind := range []string{"AWS::Serverless::Function", "AWS::Serverless::StateMachine"} {
		for _, part := range ofType(t, kind) { // without one SAM makes it, without a boundary
			part.at("Properties", "Role", "Fn::GetAtt")
		}
	}
	template(t).everywhere(func(part node) {
		if kind, ok := part.get("Type"); ok && kind.value == "ScheduleV2" {
			part.at("Properties", "RoleArn", "Fn::GetAtt")
		}
	})
}

// TestEverythingIsEncrypted: by AWS' keys, or by the one that is given.
func TestEverythingIsEncrypted(t *testing.T) {
	t.Parallel()
	const key, given = "HasKey", "KmsKeyArn"
	for _, queue := range ofType(t, "AWS::SQS::Queue") {
		isIf(t, queue.at("Properties", "KmsMasterKeyId"), key, given, nil)
		// SQS takes one of the two.
		other := queue.at("Properties", "SqsManagedSseEnabled", "Fn::If").each()
		if other["0"].text() != key || other["1"].ref() != "AWS::NoValue" || other["2"].value != true {
			t.Errorf("%s is not encrypted without a key", queue.path)
		}
	}
	for _, topic := range ofType(t, "AWS::SNS::Topic") {
		isIf(t, topic.at("Properties", "KmsMasterKeyId"), key, given, "alias/aws/sns")
	}
	for _, group := range ofType(t, "AWS::Logs::LogGroup") {
		isIf(t, group.at("Properties", "KmsKeyId"), key, given, nil)
	}
	isIf(t, template(t).at("Globals", "Function", "KmsKeyArn"), key, given, nil)
	for _, table := range ofType(t, "AWS::DynamoDB::Table") {
		forms := table.at("Properties", "SSESpecification", "Fn::If").each()
		if forms["0"].text() != key || forms["1"].at("KMSMasterKeyId").ref() != given || forms["2"].at("SSEEnabled").value != true {
			t.Errorf("the table is encrypted by %v", table.at("Properties", "SSESpecification").value)
		}
	}
}

// TestAlarmsReachTheirTopic: CloudWatch may not use AWS' key of SNS, and nobody is told that an alarm did not get through.
func TestAlarmsReachTheirTopic(t *testing.T) {
	t.Parallel()
	closed := map[string]bool{}
	for logicalID, topic := range ofType(t, "AWS::SNS::Topic") {
		closed[logicalID] = topic.at("Properties", "KmsMasterKeyId", "Fn::If").each()["2"].value == "alias/aws/sns"
	}
	for _, part := range template(t).at("Resources").each() {
		actions, ok := part.at("Properties").get("AlarmActions")
		if !ok {
			continue
		}
		for _, action := range withoutKey(actions).each() {
			if reference, ok := action.get("Ref"); ok && closed[reference.text()] {
				t.Errorf("%s sends to %s, which is encrypted by AWS' own key: give the alarms a topic that is encrypted by KmsKeyArn, or not at all", part.path, reference.text())
			}
		}
	}
}

// withoutKey is what is left of a value where neither a topic for alarms nor a key is given.
func withoutKey(value node) node {
	for {
		form, ok := value.get("Fn::If")
		if !ok {
			return value
		}
		branches := form.each()
		if name := branches["0"].text(); name != "HasKey" && name != "HasAlarmTopic" {
			value.t.Fatalf("%s depends on %s", value.path, name)
		}
		value = branches["2"]
	}
}

// TestPlainHTTPIsRefused by a policy of each queue and topic, whoever asks.
func TestPlainHTTPIsRefused(t *testing.T) {
	t.Parallel()
	for kind, list := range map[string]string{"AWS::SQS::Queue": "Queues", "AWS::SNS::Topic": "Topics"} {
		var covered []string
		for _, policy := range ofType(t, kind+"Policy") {
			for _, one := range policy.at("Properties", list).each() {
				covered = append(covered, one.ref())
			}
			if !refusesPlainHTTP(policy.at("Properties", "PolicyDocument"), covered[len(covered)-1]) {
				t.Errorf("%s takes requests without TLS", policy.path)
			}
		}
		for logicalID := range ofType(t, kind) {
			if slices.Index(covered, logicalID) < 0 {
				t.Errorf("%s has no policy", logicalID)
			}
		}
	}
}

func refusesPlainHTTP(document node, of string) bool {
	for _, statement := range document.at("Statement").each() {
		if statement.at("Effect").text() == "Deny" && statement.at("Principal").value == "*" && on(statement.at("Resource")) == of &&
			statement.at("Condition", "Bool", "aws:SecureTransport").value == "false" {
			return true
		}
	}
	return false
}

// TestWhatADeletionLeaves: records stay, and are kept from a deletion by hand; what has a fixed name must not stand in the way of a stack
// that is made again.
func TestWhatADeletionLeaves(t *testing.T) {
	t.Parallel()
	for kind, policy := range map[string]string{"AWS::DynamoDB::Table": "Retain", "AWS::SQS::Queue": "Delete", "AWS::Logs::LogGroup": "Delete"} {
		for _, part := range ofType(t, kind) {
			if part.at("DeletionPolicy").text() != policy || part.at("UpdateReplacePolicy").text() != policy {
				t.Errorf("%s is not left by %s", part.path, policy)
			}
		}
	}
	table := resource(t, "Table")
	if _, named := table.get("TableName"); named || table.at("DeletionProtectionEnabled").value != true {
		t.Error("the table has a name that stands in the way, or can be deleted by mistake")
	}
	table.at("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")
}

// TestADeletionLeavesWhatIsListed: what the template retains is in docs/deploy.md, and what is listed there by a name of the template is retained.
func TestADeletionLeavesWhatIsListed(t *testing.T) {
	t.Parallel()
	_, taking, found := strings.Cut(string(file(t, "docs/deploy.md")), "\n## 10. Take it away\n")
	if !found {
		t.Fatal("docs/deploy.md does not say how to take it away")
	}
	listed, retained := map[string]bool{}, map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^\\| `([A-Z]\\w+)`").FindAllStringSubmatch(taking, -1) {
		listed[match[1]] = true
	}
	for name, part := range template(t).at("Resources").each() {
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if chosen, ok := part.get(policy); ok && chosen.text() != "Delete" {
				retained[name] = true
			}
		}
	}
	if !maps.Equal(listed, retained) {
		t.Errorf("docs/deploy.md lists %v, and the template retains %v", listed, retained)
	}
}

// TestLogsEnd: every log group has a retention, and whatever logs has a group of the stack.
func TestLogsEnd(t *testing.T) {
	t.Parallel()
	groups := ofType(t, "AWS::Logs::LogGroup")
	for _, group := range groups {
		if group.at("Properties", "RetentionInDays").ref() != "LogRetentionDays" {
			t.Errorf("%s is kept for %v", group.path, group.at("Properties", "RetentionInDays").value)
		}
	}
	for logicalID, function := range ofType(t, "AWS::Serverless::Function") {
		group := function.at("Properties", "LoggingConfig", "LogGroup").ref()
		if want := strings.TrimSuffix(logicalID, "Function") + "LogGroup"; group != want || groups[group].value == nil {
			t.Errorf("%s logs to %s", logicalID, group)
		}
		if format := function.at("Properties", "LoggingConfig", "LogFormat").text(); format != "JSON" {
			t.Errorf("%s logs %s", logicalID, format)
		}
	}
}

// TestVPCIsAsked: both lists under one condition, and the rights that it needs under the same.
func TestVPCIsAsked(t *testing.T) {
	t.Parallel()
	inside := template(t).at("Globals", "Function", "VpcConfig", "Fn::If").each()
	if inside["0"].text() != "InVpc" || inside["1"].at("SubnetIds").ref() != "SubnetIds" || inside["1"].at("SecurityGroupIds").ref() != "SecurityGroupIds" {
		t.Errorf("VpcConfig is %v", template(t).at("Globals", "Function", "VpcConfig").value)
	}
	for _, statement := range resource(t, "RuntimePolicy").at("PolicyDocument", "Statement").each() {
		form, conditional := statement.get("Fn::If")
		if conditional {
			statement = form.each()["1"]
		}
		if !strings.HasPrefix(statement.at("Action").texts()[0], "ec2:") {
			continue
		}
		if !conditional || form.each()["0"].text() != "InVpc" {
			t.Errorf("%s holds outside of a VPC", statement.path)
		}
		if statement.at("Effect").text() == "Deny" {
			statement.at("Condition", "ArnLike", "lambda:SourceFunctionArn")
		}
	}
}
