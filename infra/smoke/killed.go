package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	shortTimeout = 10 // seconds of a worker: enough to claim a chunk and to begin a batch
	shortHidden  = 30 // seconds that a message is hidden
	killedBy     = "name: aws-smoke-killed\ntable: public.backfill_smoke\nset: {killed: public.backfill_smoke_once(killed)}\n"
)

// killed has a worker run into its timeout. For that the stack's timeouts are made short, and set back.
func (s *stack) killed(ctx context.Context, t *table) (checks []check, err error) {
	timeout, hidden, err := s.timeouts(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Printf("the worker's timeout is made %d s, the queue's %d s, for some minutes; then they are %d s and %d s again\n", shortTimeout, shortHidden, timeout, hidden)
	// A message may not be hidden for a shorter time than a function may take: so first the one, and back the other way round.
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
		defer cancel()
		err = errors.Join(err, s.hide(late, hidden), s.limit(late, timeout))
	}()
	if err := errors.Join(s.limit(ctx, shortTimeout), s.hide(ctx, shortHidden), s.spread(ctx)); err != nil {
		return nil, err
	}
	begun := time.Now()
	id, _, err := s.begin(ctx, "aws-smoke-killed", killedBy)
	if err != nil {
		return nil, err
	}
	status, err := s.ends(ctx, id, 6*time.Minute)
	if err != nil {
		return nil, err
	}
	d := death{state: status.State, affected: status.Rows.Affected, retries: status.Chunks.Retries}
	if err := s.settle(ctx, id, begun, &d); err != nil {
		return nil, err
	}
	d.content, _, d.known, err = t.read(ctx)
	return judgeDeath(d), err
}

// settle waits for the message of the worker that died, and for the logs, which come late.
func (s *stack) settle(ctx context.Context, id string, begun time.Time, d *death) error {
	return await(ctx, 3*time.Minute, 5*time.Second, func() (bool, error) {
		var err error
		if d.timeouts, d.deliveries, err = s.told(ctx, id, begun); err != nil {
			return false, err
		}
		d.left, err = s.waiting(ctx)
		return d.timeouts > 0 && d.deliveries > 0 && d.left == 0, err
	})
}

// told counts in the worker's log invocations that ran out of time, and deliveries of the run that found nothing to do.
func (s *stack) told(ctx context.Context, id string, since time.Time) (timeouts, deliveries int, err error) {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(s.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(s.parts["WorkerLogGroup"]), StartTime: aws.Int64(since.UnixMilli())})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, 0, fmt.Errorf("read the worker's log: %w", err)
		}
		for _, event := range page.Events {
			line := aws.ToString(event.Message)
			if isTimeout(line) {
				timeouts++
			}
			if strings.Contains(line, `"delivery without work"`) && strings.Contains(line, `"`+id+`"`) {
				deliveries++
			}
		}
	}
	return timeouts, deliveries, nil
}

// isTimeout knows both of Lambda's ways to say it: a text, and where logs are JSON the status of a report.
func isTimeout(line string) bool {
	return strings.Contains(line, "Task timed out after") || strings.Contains(line, `"platform.report"`) && strings.Contains(line, `"status":"timeout"`)
}

// waiting counts what the queue has, hidden or not.
func (s *stack) waiting(ctx context.Context) (sum int64, err error) {
	names := []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	got, err := s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.outputs["QueueUrl"]), AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("look into the queue: %w", err)
	}
	for _, text := range got.Attributes {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read what the queue has: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// timeouts reads how both are set.
func (s *stack) timeouts(ctx context.Context) (function, hidden int32, err error) {
	worker, err := s.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(s.parts["WorkerFunction"])})
	if err != nil {
		return 0, 0, fmt.Errorf("read the worker's timeout: %w", err)
	}
	name := sqstypes.QueueAttributeNameVisibilityTimeout
	queue, err := s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.outputs["QueueUrl"]), AttributeNames: []sqstypes.QueueAttributeName{name}})
	if err != nil {
		return 0, 0, fmt.Errorf("read the queue's timeout: %w", err)
	}
	seconds, err := strconv.ParseInt(queue.Attributes[string(name)], 10, 32)
	return aws.ToInt32(worker.Timeout), int32(seconds), err
}

// limit sets the worker's timeout, and waits until it holds. It is tried again for a while: another update may go on, or the queue's timeout not be known yet.
func (s *stack) limit(ctx context.Context, seconds int32) error {
	worker := s.parts["WorkerFunction"]
	var refused error
	err := await(ctx, 90*time.Second, 3*time.Second, func() (bool, error) {
		_, refused = s.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &worker, Timeout: &seconds})
		return refused == nil, nil
	})
	if err = errors.Join(err, refused); err != nil {
		return fmt.Errorf("set the worker's timeout to %d s: %w", seconds, err)
	}
	return await(ctx, time.Minute, time.Second, func() (bool, error) {
		got, err := s.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &worker})
		return err == nil && got.LastUpdateStatus == lambdatypes.LastUpdateStatusSuccessful, err
	})
}

// spread waits until the queue's new timeout is known everywhere: AWS says up to a minute, and a poll that is out has the old one.
func (s *stack) spread(ctx context.Context) error {
	known := 80 * time.Second
	if s.local {
		known = 5 * time.Second
	}
	return await(ctx, known, known, func() (bool, error) { return false, nil })
}

func (s *stack) hide(ctx context.Context, seconds int32) error {
	_, err := s.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(s.outputs["QueueUrl"]),
		Attributes: map[string]string{string(sqstypes.QueueAttributeNameVisibilityTimeout): fmt.Sprint(seconds)}})
	if err != nil {
		return fmt.Errorf("set the queue's timeout to %d s: %w", seconds, err)
	}
	return nil
}
