package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// A row takes 2 ms, so the run goes on for a while.
const stoppedBy = "name: aws-smoke-stopped\ntable: public.backfill_smoke\nset: {stopped: stopped + 1 + 0 * length(pg_sleep(0.002)::text)}\nchunk_rows: 5000\n"

// stopped stops an execution in the middle of its run, as the console's button does: no Catch runs.
func (s *stack) stopped(ctx context.Context, t *table) ([]check, error) {
	id, execution, err := s.begin(ctx, "aws-smoke-stopped", stoppedBy)
	if err != nil {
		return nil, err
	}
	if err := s.moves(ctx, id); err != nil {
		return nil, err
	}
	child, err := s.child(ctx, execution)
	if err != nil {
		return nil, err
	}
	if _, err := s.sfn.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &execution}); err != nil {
		return nil, fmt.Errorf("stop execution %s: %w", id, err)
	}
	status, err := s.ends(ctx, id, 4*time.Minute)
	if err != nil {
		return nil, err
	}
	var parent, segment *sfn.DescribeExecutionOutput
	err = await(ctx, time.Minute, 2*time.Second, func() (bool, error) {
		if parent, err = s.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution}); err != nil {
			return false, err
		}
		segment, err = s.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &child})
		return err == nil && segment.Status != sfntypes.ExecutionStatusRunning, err
	})
	if err != nil {
		return nil, fmt.Errorf("read how executions of %s ended: %w", id, err)
	}
	seen := stop{parent: string(parent.Status), child: string(segment.Status), childError: aws.ToString(segment.Error),
		state: status.State, leases: status.Concurrency, affected: status.Rows.Affected}
	_, seen.content, seen.known, err = t.read(ctx)
	return judgeStop(seen, s.local), err
}

// moves waits until a run has changed rows.
func (s *stack) moves(ctx context.Context, id string) error {
	return await(ctx, 2*time.Minute, time.Second, func() (bool, error) {
		status, err := s.status(ctx, id)
		return status.Rows.Affected > 0 || status.State.Ended(), err
	})
}

// child is the execution that another has started and waits for.
func (s *stack) child(ctx context.Context, execution string) (string, error) {
	history, err := s.sfn.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: 100})
	if err != nil {
		return "", fmt.Errorf("read the history of %s: %w", execution, err)
	}
	for _, event := range history.Events {
		var told struct{ ExecutionArn string }
		if submitted := event.TaskSubmittedEventDetails; submitted != nil && json.Unmarshal([]byte(aws.ToString(submitted.Output)), &told) == nil && told.ExecutionArn != "" {
			return told.ExecutionArn, nil
		}
	}
	return "", fmt.Errorf("execution %s has no child", execution)
}
