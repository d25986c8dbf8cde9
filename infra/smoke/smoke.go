package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const warning = `stack %s at %s. This starts three runs on a table of their own, which takes some ten minutes and costs some cents; makes the timeouts
of the stack's worker and queue short meanwhile, so no other run should go on; has alarms fire; and leaves three registered definitions, aws-smoke-*.
`

func smoke(ctx context.Context, name, region, profile, url string, yes bool) (code int, err error) {
	s, err := find(ctx, name, region, profile)
	if err != nil {
		return 1, err
	}
	fmt.Printf(warning, s.name, s.place)
	if !yes && !agreed() {
		return 1, errors.New("nothing was done: say y, or give --yes")
	}
	if err := s.idle(ctx); err != nil {
		return 1, err
	}
	t, err := makeTable(ctx, url)
	if err != nil {
		return 1, err
	}
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, s.release(late), t.drop(late))
	}()
	all := &sheet{out: os.Stdout}
	all.add(s.doors(ctx)...)
	for _, part := range []struct {
		what string
		look func() ([]check, error)
	}{
		{"IAM", func() ([]check, error) { return s.rights(ctx) }},
		{"stop", func() ([]check, error) { return s.stopped(ctx, t) }},
		{"timeout", func() ([]check, error) { return s.killed(ctx, t) }},
		{"concurrency", func() ([]check, error) { return s.crowded(ctx) }},
	} {
		checks, err := part.look()
		all.add(checks...)
		if err != nil {
			all.add(broken(part.what, err))
		}
	}
	return all.end(), nil
}

func agreed() bool {
	fmt.Print("Go on? [y/N] ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // no answer is no
	return strings.EqualFold(strings.TrimSpace(answer), "y")
}

// going are the runs that have not ended.
func (s *stack) going(ctx context.Context) ([]string, error) {
	answer, err := s.ask(ctx, s.outputs["ControlReadFunctionArn"], map[string]any{"action": "list", "limit": 100})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var list struct {
		Runs []struct {
			Run     string     `json:"run"`
			EndedAt *time.Time `json:"ended_at"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, fmt.Errorf("read the list of runs: %w", err)
	}
	var ids []string
	for _, one := range list.Runs {
		if one.EndedAt == nil {
			ids = append(ids, one.Run)
		}
	}
	return ids, nil
}

// idle refuses a stack that is at work.
func (s *stack) idle(ctx context.Context) error {
	ids, err := s.going(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	return fmt.Errorf("runs go on in this stack, and would be disturbed: %s. Wait for them, or take another stack", strings.Join(ids, ", "))
}

// release cancels what an interruption has left, so that the table can go.
func (s *stack) release(ctx context.Context) error {
	ids, err := s.going(ctx)
	for _, id := range ids {
		if strings.HasPrefix(id, "aws-smoke-") {
			_, refused := s.ask(ctx, s.outputs["ControlFunctionName"], map[string]any{"action": "cancel", "run": id, "by": "aws-smoke"})
			_, ended := s.ends(ctx, id, 30*time.Second)
			err = errors.Join(err, refused, ended)
		}
	}
	return err
}
