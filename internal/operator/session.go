package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"backfill/internal/run"

	"github.com/spf13/cobra"
)

// session is one command at work.
type session struct {
	World
	format string
	place  Place
	global []string // the flags that a suggested command has to repeat
}

// begin checks the flags that every command has.
func (s *session) begin(at *cobra.Command) error {
	if s.format != textFormat && s.format != jsonFormat {
		return misused(at, fmt.Errorf("-o %s is not known; it is text or json", s.format))
	}
	for _, name := range []string{"stack", "profile", "region"} {
		if flag := at.Flags().Lookup(name); flag.Changed {
			s.global = append(s.global, "--"+name, flag.Value.String())
		}
	}
	return nil
}

// connect finds the stack.
func (s *session) connect(ctx context.Context) (Stack, error) { return s.Connect(ctx, s.place) }

// suggest writes a command that a person can type here.
func (s *session) suggest(words ...string) string {
	typed := []string{s.Program}
	for _, word := range slices.Concat(words, s.global) {
		typed = append(typed, quoted(word))
	}
	return strings.Join(typed, " ")
}

// plainWord is a word that every shell takes as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)

// quoted writes a word for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// named is the input of the actions on one run.
type named struct {
	Action string `json:"action"`
	Run    string `json:"run"`
	By     string `json:"by,omitempty"`
}

// statusOf asks how a run stands: what it means, and the answer as it came.
func statusOf(ctx context.Context, control Control, id string) (run.Status, json.RawMessage, error) {
	answer, err := control.Look(ctx, named{Action: "status", Run: id})
	if err != nil {
		return run.Status{}, nil, err
	}
	status, err := decodeStatus(answer)
	return status, answer, err
}

func decodeStatus(answer json.RawMessage) (run.Status, error) {
	var status run.Status
	if err := json.Unmarshal(answer, &status); err != nil {
		return status, fmt.Errorf("read the status: %w", err)
	}
	return status, nil
}
