package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"backfill/internal/failure"
	"backfill/internal/run"
)

// Pausing is the input of pause: of a run, or of all.
type Pausing struct {
	Resuming
	Reason string `json:"reason,omitempty"` // why, in a person's words
}

// Resuming is the input of resume: of a run, or of all that were paused by a pause of all.
type Resuming struct {
	Named
	All bool `json:"all,omitempty"`
}

// check demands one of the two.
func (r Resuming) check() error {
	if r.All && r.Run != "" {
		return failure.New(failure.Invalid, `give either "run" or "all"`)
	}
	if r.All {
		return nil
	}
	return r.Named.check()
}

// Resumed is the answer to resume of a run: its status.
type Resumed struct {
	run.Status
	Lost bool `json:"lost,omitempty"` // its execution is gone: the run goes on when one is started with {"action":"resume"}
}

// Awaiting is the input of await: a task of the state machine that waits for the end of a pause.
type Awaiting struct {
	Action    string `json:"action"`
	Run       string `json:"run"`
	Execution string `json:"execution"`
	Token     string `json:"token"`
}

// pause stops a run for a while. A task that waits though the run has to be watched until it is PAUSED was forgotten by
// whoever let the run go on before.
func (c *Control) pause(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Pausing
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if asked.All {
		ids, err := c.Pauser.PauseAll(ctx, c.Own, asked.By, asked.why())
		return c.those(ctx, ids, err)
	}
	state, err := c.Pauser.Pause(ctx, asked.Run, asked.By, asked.why())
	if err != nil {
		return nil, err
	}
	if state != run.Paused {
		if err := c.wake(ctx, asked.Run); err != nil {
			return nil, err
		}
	}
	return c.current(ctx, asked.Run)
}

// why is the reason that is kept and shown.
func (p Pausing) why() string {
	text := "paused"
	if p.By != "" {
		text += " by " + p.By
	}
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text
}

// resume lets a paused run go on.
func (c *Control) resume(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Resuming
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if asked.All {
		ids, err := c.Pauser.ResumeAll(ctx, c.Own, asked.By)
		return c.those(ctx, ids, err)
	}
	return c.goOn(ctx, asked.Named, c.Pauser.MayResume, c.Pauser.Resume)
}

// approve lets a run go on that waits with a canary.
func (c *Control) approve(ctx context.Context, input json.RawMessage) (any, error) {
	named, err := decodeNamed(input)
	if err != nil {
		return nil, err
	}
	return c.goOn(ctx, named, c.Pauser.MayApprove, c.Pauser.Approve)
}

// goOn lets a paused run go on by what ends that pause, if that may.
func (c *Control) goOn(ctx context.Context, asked Named, may func(ctx context.Context, id string) error,
	end func(ctx context.Context, id, by string) (run.State, error),
) (any, error) {
	if err := may(ctx, asked.Run); err != nil {
		return nil, err
	}
	// Before as well: where the execution cannot be woken the run stays paused, and the same command is given again.
	if err := c.wake(ctx, asked.Run); err != nil {
		return nil, err
	}
	lost, err := c.orphaned(ctx, asked.Run)
	if err != nil {
		return nil, err
	}
	if _, err := end(ctx, asked.Run, asked.By); err != nil {
		return nil, err
	}
	if err := c.wake(ctx, asked.Run); err != nil {
		return nil, err
	}
	status, err := c.current(ctx, asked.Run)
	return Resumed{status, lost}, err
}

// orphaned tells whether the execution of a paused run is gone, and notes it: nobody beats while a run is paused, so that nobody
// has missed it. Where Step Functions does not tell, the run goes on as if it were there.
func (c *Control) orphaned(ctx context.Context, id string) (bool, error) {
	stored, err := c.Ledger.Run(ctx, id)
	if err != nil || !stored.State.Pauses() {
		return false, err
	}
	running, err := c.Executions.Running(ctx, stored.Execution)
	if err != nil {
		slog.WarnContext(ctx, "execution of a paused run not looked at", "run", id, "class", failure.Of(err), "error", failure.Safe(err))
	}
	if err != nil || running {
		return false, nil
	}
	return true, c.Ledger.Orphan(ctx, id, stored.Execution)
}

// those is the answer about all runs. Each that is not PAUSED has its execution woken, if that waits; an error of one is
// told when every other is dealt with.
func (c *Control) those(ctx context.Context, ids []string, wrong error) (any, error) {
	found := Runs{Runs: []run.Status{}}
	for _, id := range ids {
		status, err := c.current(ctx, id)
		if err == nil && status.State != run.Paused {
			err = c.wake(ctx, id)
		}
		wrong = errors.Join(wrong, err)
		found.Runs = append(found.Runs, status)
	}
	if wrong != nil {
		return nil, fmt.Errorf("of %d runs: %w", len(ids), wrong)
	}
	return found, nil
}

// await has a task wait until the run is let go on, or ends. Where that has happened already, the task goes on at once.
func (c *Control) await(ctx context.Context, input json.RawMessage) (any, error) {
	var asked Awaiting
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	if asked.Run == "" || asked.Execution == "" || asked.Token == "" {
		return nil, failure.New(failure.Invalid, `"run", "execution" or "token" is missing: await is for the state machine`)
	}
	waits, err := c.Ledger.Await(ctx, asked.Run, asked.Execution, asked.Token)
	if err != nil {
		return nil, fmt.Errorf("wait for run %s: %w", asked.Run, err)
	}
	if !waits {
		err = c.Executions.Wake(ctx, asked.Token)
	}
	return map[string]bool{"waits": waits}, err
}

// wake lets the execution go on that waits for the run, if one does. It is forgotten last: a call that is repeated wakes
// it again, which changes nothing.
func (c *Control) wake(ctx context.Context, id string) error {
	token, err := c.Ledger.Waiting(ctx, id)
	if err != nil || token == "" {
		return err
	}
	if err := c.Executions.Wake(ctx, token); err != nil {
		return fmt.Errorf("run %s: %w", id, err)
	}
	return c.Ledger.Woken(ctx, id, token)
}
