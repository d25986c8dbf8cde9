package operator

import (
	"encoding/json"
	"regexp"
	"strings"

	"backfill/internal/failure"
)

// answered is the error that a function gave in place of an answer.
func answered(name string, payload []byte) *Fault {
	var reported struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &reported) != nil || reported.Message == "" {
		reported.Message = strings.TrimSpace(string(payload))
	}
	fault := classed(reported.Type, reported.Message)
	if fault.Class == "" {
		fault.Message = "function " + name + " did not answer: " + fault.Message
	}
	return fault
}

// exits gives each class that leaves a function its exit code.
var exits = map[failure.Class]int{
	failure.Invalid:   exitInvalid,
	failure.Busy:      exitFailed,
	failure.Permanent: exitFailed,
	failure.Transient: exitUnreachable,
	failure.Unknown:   exitUnreachable,
}

// remedies say what to do where the message itself does not.
var remedies = map[failure.Class]string{
	failure.Permanent: "trying again does not help; backfill doctor looks for the reason, the function's log in CloudWatch has more",
	failure.Transient: "try again; backfill doctor looks for the reason, the function's log in CloudWatch has more",
	failure.Unknown:   "try again; backfill doctor looks for the reason, the function's log in CloudWatch has more",
}

// classed makes a fault of a class and its message. A name that is no class is Lambda's own: a function that was
// killed, or never came up.
func classed(name, message string) *Fault {
	exit, known := exits[failure.Class(name)]
	if !known {
		return &Fault{Exit: exitUnreachable, Message: strings.TrimPrefix(name+": "+message, ": "),
			Next: "try again; the function's log in CloudWatch has more"}
	}
	fault := &Fault{Exit: exit, Class: name, Message: message, Next: remedies[failure.Class(name)]}
	if failure.Class(name) == failure.Invalid {
		fault.Message, fault.Problems = split(message)
	}
	return fault
}

// headline begins a list of problems, as definition.Problems writes it.
var headline = regexp.MustCompile(`^[\d,]+ problems:$`)

// split takes a list of problems apart. A single problem stays the message.
func split(message string) (string, []string) {
	lines := strings.Split(strings.TrimSpace(message), "\n")
	if !headline.MatchString(lines[0]) {
		return lines[0], lines[1:]
	}
	return strings.TrimSuffix(lines[0], ":"), lines[1:]
}
