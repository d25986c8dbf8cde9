package main

import (
	"context"
	"errors"
	"strings"
)

// doors asks each alias for what it serves, and for what it must refuse.
func (s *stack) doors(ctx context.Context) []check {
	look, act, register := s.outputs["ControlReadFunctionArn"], s.outputs["ControlFunctionName"], s.outputs["ControlRegisterFunctionArn"]
	const unknown = "aws-smoke-no-such-run"
	return []check{
		s.served(ctx, "doors: the alias read lists runs", look, map[string]any{"action": "list", "limit": 1}),
		s.refused(ctx, "doors: the alias read does not cancel", look, map[string]any{"action": "cancel", "run": unknown}, `alias \"read\"`),
		s.refused(ctx, "doors: the alias read does not register", look, map[string]any{"action": "register", "definition": ""}, `alias \"register\"`),
		s.refused(ctx, "doors: the function itself does not register", act, map[string]any{"action": "register", "definition": ""}, `alias \"register\"`),
		s.refused(ctx, "doors: the alias register does not cancel", register, map[string]any{"action": "cancel", "run": unknown}, `alias \"register\"`),
	}
}

func (s *stack) served(ctx context.Context, what, door string, input any) check {
	if _, err := s.ask(ctx, door, input); err != nil {
		return broken(what, err)
	}
	return check{what: what, expected: "an answer", found: "an answer", ok: true}
}

// refused has to be the door's own refusal, and not one of a run that is not there.
func (s *stack) refused(ctx context.Context, what, door string, input any, word string) check {
	_, err := s.ask(ctx, door, input)
	var told refusal
	found := "an answer"
	if err != nil {
		found = strings.Join(strings.Fields(err.Error()), " ")
	}
	return check{what: what, expected: "a refusal that names the door", found: found, ok: errors.As(err, &told) && strings.Contains(told.text, word)}
}
