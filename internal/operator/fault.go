package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes, as the help and docs/operate.md promise them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitInvalid     = 2
	exitUnreachable = 3
	exitInterrupted = 130 // as a shell does for SIGINT: `start --wait && next` must not go on
)

// Fault is why a command was not done as asked.
type Fault struct {
	Exit     int      `json:"exit"`
	Class    string   `json:"class,omitempty"` // of failure, where the stack gave one
	Message  string   `json:"message"`
	Problems []string `json:"problems,omitempty"` // each for a line of its own
	Next     string   `json:"next,omitempty"`     // what to do
	answered bool     // stdout has its document already
	unbegun  bool     // Step Functions took a start whose run never began
}

func (f *Fault) Error() string { return f.Message }

// misused is a command that is not as its help says.
func misused(at *cobra.Command, err error) *Fault {
	message := strings.Join(strings.Fields(err.Error()), " ") // cobra writes on several lines
	return &Fault{Exit: exitInvalid, Message: message, Next: fmt.Sprintf("see %s --help", at.CommandPath())}
}

// asFault gives every error its exit code.
func asFault(ctx context.Context, err error) *Fault {
	var fault *Fault
	switch {
	case errors.As(err, &fault):
		return fault
	case ctx.Err() != nil:
		return &Fault{Exit: exitInterrupted, Message: "stopped before the answer came"}
	}
	return unreachable(err)
}

// fail prints a fault, and gives its exit code.
func (s *session) fail(fault *Fault) int {
	lines := []string{"backfill: " + printable(fault.Message)}
	for _, problem := range fault.Problems {
		lines = append(lines, printable(problem))
	}
	if fault.Next != "" {
		lines = append(lines, fault.Next)
	}
	fmt.Fprintln(s.Err, strings.Join(lines, "\n"))
	if s.format == jsonFormat && !fault.answered {
		document, _ := json.MarshalIndent(map[string]*Fault{"error": fault}, "", "  ") // texts and a number: it cannot fail
		fmt.Fprintln(s.Out, string(document))
	}
	return fault.Exit
}
