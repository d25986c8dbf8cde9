package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	crowdedBy = "name: aws-smoke-crowded\ntable: public.backfill_smoke\nset: {crowded: crowded + 1 + 0 * length(pg_sleep(0.004)::text)}\nchunk_rows: 1000\n"
	// most is how many workers the table has chunks for, some each.
	most = 8
)

// crowded has a run use up what is reserved, and asks for one worker more.
func (s *stack) crowded(ctx context.Context) ([]check, error) {
	const what = "concurrency"
	c, err := s.reservation(ctx)
	switch {
	case err != nil:
		return nil, err
	case c.reserved == 0:
		return []check{{what: what, skipped: "nothing is reserved (ReserveWorkerConcurrency)"}}, nil
	case c.reserved > most:
		return []check{{what: what, skipped: fmt.Sprintf("WorkerConcurrency is %d; a stack with 2 to %d shows it", c.reserved, most)}}, nil
	}
	id, _, err := s.begin(ctx, "aws-smoke-crowded", crowdedBy)
	if err != nil {
		return nil, err
	}
	if err := s.moves(ctx, id); err != nil {
		return nil, err
	}
	err = await(ctx, 3*time.Minute, 500*time.Millisecond, func() (bool, error) {
		status, err := s.status(ctx, id)
		if err != nil {
			return false, err
		}
		c.most = max(c.most, status.Concurrency)
		if status.Concurrency < int64(c.reserved) {
			return status.State.Ended(), nil
		}
		return c.refused > 0 || status.State.Ended(), s.intrude(ctx, &c)
	})
	if err != nil {
		return nil, err
	}
	status, err := s.ends(ctx, id, 5*time.Minute)
	if err == nil && status.State != run.Completed {
		err = fmt.Errorf("run %s is %s: %s", id, status.State, status.Reason)
	}
	return judgeCrowd(c), err
}

// intrude asks for a worker beside those that are busy. An event without a message is no work.
func (s *stack) intrude(ctx context.Context, c *crowd) error {
	_, err := s.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(s.parts["WorkerFunction"]), Payload: []byte(`{"Records":[]}`)},
		func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	var throttled *lambdatypes.TooManyRequestsException
	switch {
	case errors.As(err, &throttled):
		c.refused++
	case err != nil:
		return fmt.Errorf("invoke the worker: %w", err)
	default:
		c.accepted++
	}
	return nil
}

func (s *stack) reservation(ctx context.Context) (c crowd, err error) {
	worker := s.parts["WorkerFunction"]
	reserved, err := s.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &worker})
	if err != nil {
		return c, fmt.Errorf("read the worker's reservation: %w", err)
	}
	mappings, err := s.lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: &worker})
	if err != nil {
		return c, fmt.Errorf("read the queue's mapping: %w", err)
	}
	c.reserved = aws.ToInt32(reserved.ReservedConcurrentExecutions)
	for _, mapping := range mappings.EventSourceMappings {
		if mapping.ScalingConfig != nil {
			c.ceiling = aws.ToInt32(mapping.ScalingConfig.MaximumConcurrency)
		}
	}
	return c, nil
}
