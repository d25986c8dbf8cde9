package template_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are those that people copy policies from.
var documents = []string{"docs/security.md", "docs/deploy.md"}

// copied are the policies of the documents, by the heading above each.
func copied(t *testing.T) map[string]node {
	t.Helper()
	found := map[string]node{}
	for _, document := range documents {
		for _, match := range regexp.MustCompile("(?s)\n### (\\w+)\n```json\n(.*?)\n```").FindAllStringSubmatch(string(file(t, document)), -1) {
			policy := node{t: t, path: document + " " + match[1]}
			if err := json.Unmarshal([]byte(match[2]), &policy.value); err != nil {
				t.Fatalf("%s: %v", policy.path, err)
			}
			if version := policy.at("Version").text(); version != "2012-10-17" {
				t.Errorf("%s is of version %s", policy.path, version)
			}
			found[match[1]] = policy
		}
	}
	return found
}

// madeARNs are the ARNs of what people may be given rights on, with the document's words for what is theirs.
func madeARNs(t *testing.T) map[string]bool {
	t.Helper()
	named := func(name node) string {
		return strings.ReplaceAll(name.at("Fn::Sub").text(), "${AWS::StackName}", "STACK")
	}
	made := map[string]bool{"arn:aws:cloudformation:REGION:ACCOUNT:stack/STACK/*": true}
	for _, function := range ofType(t, "AWS::Serverless::Function") {
		made["arn:aws:lambda:REGION:ACCOUNT:function:"+named(function.at("Properties", "FunctionName"))] = true
	}
	for _, alias := range ofType(t, "AWS::Lambda::Alias") {
		function := resource(t, alias.at("Properties", "FunctionName").ref()).at("FunctionName")
		made["arn:aws:lambda:REGION:ACCOUNT:function:"+named(function)+":"+alias.at("Properties", "Name").text()] = true
	}
	for _, machine := range ofType(t, "AWS::Serverless::StateMachine") {
		name := named(machine.at("Properties", "Name"))
		made["arn:aws:states:REGION:ACCOUNT:stateMachine:"+name] = true
		made["arn:aws:states:REGION:ACCOUNT:execution:"+name+":*"] = true
	}
	return made
}

// TestRightsOfPeople: the four policies together are what the command calls, each on what exists, and none has another's door.
func TestRightsOfPeople(t *testing.T) {
	t.Parallel()
	const control = "arn:aws:lambda:REGION:ACCOUNT:function:STACK-control"
	doors := map[string]string{"Look": control + ":read", "Start": "", "Act": control, "Register": control + ":register"}
	made, may, policies := madeARNs(t), map[string]bool{}, copied(t)
	for right, door := range doors {
		invoked := ""
		for _, statement := range policies[right].at("Statement").each() {
			for _, action := range statement.at("Action").texts() {
				may[action] = true
			}
			for _, resource := range statement.at("Resource").texts() {
				if !made[resource] && (resource != "*" || statement.at("Action").text() != "lambda:GetAccountSettings") { // AWS offers no other
					t.Errorf("%s is on %s, which the stack does not have", right, resource)
				}
				if strings.Contains(resource, ":function:") {
					invoked += resource
				}
			}
			if statement.at("Effect").text() != "Allow" {
				t.Errorf("%s has %v", right, statement.value)
			}
		}
		if invoked != door {
			t.Errorf("%s invokes %q, not %q", right, invoked, door)
		}
	}
	var called []string
	for _, call := range callsOf(t, "cmd/backfill") {
		if needs[call] != "" {
			called = append(called, needs[call])
		}
	}
	if got, want := slices.Sorted(maps.Keys(may)), slices.Sorted(slices.Values(called)); !slices.Equal(got, want) {
		t.Errorf("the rights are %v, and the command calls %v", got, want)
	}
}

// TestBoundaryLetsEverythingThrough that a role is given, and nothing else.
func TestBoundaryLetsEverythingThrough(t *testing.T) {
	t.Parallel()
	given := statements(resource(t, "RuntimePolicy").at("PolicyDocument"))
	for _, role := range ofType(t, "AWS::IAM::Role") {
		maps.Copy(given, actions(role.at("Properties")))
	}
	through := statements(copied(t)["Boundary"])
	if got, want := slices.Sorted(maps.Keys(through)), slices.Sorted(maps.Keys(given)); !slices.Equal(got, want) {
		t.Errorf("the boundary lets through %v, and the roles have %v", got, want)
	}
}

// TestKeyPolicy lets in the services that use a key in their own name: by a role they are let in by its rights.
func TestKeyPolicy(t *testing.T) {
	t.Parallel()
	in := map[string]string{}
	for _, statement := range copied(t)["Key"].at("Statement").each() {
		for _, action := range statement.at("Action").texts() {
			if !strings.HasPrefix(action, "kms:") {
				t.Errorf("the key's policy has %s", action)
			}
		}
		_, conditional := statement.get("Condition")
		if principal := statement.at("Principal").each()["AWS"].value; principal == "*" && !conditional {
			t.Error("the key is open to everybody")
		}
		if service, ok := statement.at("Principal").get("Service"); ok {
			in[service.text()] = statement.at("Sid").text()
		}
	}
	want := map[string]string{"logs.REGION.amazonaws.com": "Logs", "events.amazonaws.com": "Events", "cloudwatch.amazonaws.com": "Alarms"}
	if !maps.Equal(in, want) {
		t.Errorf("the key lets in %v, want %v", in, want)
	}
}

// TestEndpoints: a service that a function calls, and a subnet does not reach, ends in a timeout that tells nothing.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	listed, called := map[string]bool{}, map[string]bool{}
	for _, match := range regexp.MustCompile("\\| `com\\.amazonaws\\.REGION\\.(\\w+)` \\|").FindAllStringSubmatch(string(file(t, "docs/deploy.md")), -1) {
		listed[match[1]] = true
	}
	names := strings.NewReplacer("cloudwatch", "monitoring", "sfn", "states", "dynamodb/types", "dynamodb")
	for function := range readers {
		for _, call := range callsOf(t, "functions/"+strings.ToLower(strings.TrimSuffix(function, "Function"))) {
			service, _, _ := strings.Cut(names.Replace(call), ".")
			called[service] = true
		}
	}
	if !maps.Equal(listed, called) {
		t.Errorf("docs/deploy.md lists %v, and the functions call %v", listed, called)
	}
}

// TestDocumentsNameWhatExists: outputs, parameters, and each action that is on more than the stack's own.
func TestDocumentsNameWhatExists(t *testing.T) {
	t.Parallel()
	for _, document := range append([]string{"README.md", "docs/operate.md"}, documents...) {
		text := string(file(t, document))
		for _, match := range regexp.MustCompile(`OutputKey=='(\w+)'`).FindAllStringSubmatch(text, -1) {
			if _, ok := template(t).at("Outputs").get(match[1]); !ok {
				t.Errorf("%s names the output %s", document, match[1])
			}
		}
		for _, match := range regexp.MustCompile(`\b([A-Z]\w+)=[a-z0-9]`).FindAllStringSubmatch(text, -1) {
			_, ok := template(t).at("Parameters").get(match[1])
			if !ok && match[1] != strings.ToUpper(match[1]) && match[1] != "Name" {
				t.Errorf("%s gives the parameter %s", document, match[1])
			}
		}
	}
	listed := string(file(t, "docs/security.md"))
	for action := range unbound {
		if !strings.Contains(listed, "`"+action+"`") {
			t.Errorf("docs/security.md does not say why %s is on more than the stack's own", action)
		}
	}
}
