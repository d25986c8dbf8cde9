package records

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"
)

// Expire lets the checkpoints of a run that has ended go when its record goes, and what it had yet to send: a run that was
// cancelled while it was planned has such. One write each, in parallel; a call that is repeated goes on where the one before
// it has ended, for a partition takes 1,000 writes a second, and 100,000 chunks take longer than a function has.
func (s *Store) Expire(ctx context.Context, id string) error {
	if err := s.expireUnsent(ctx, id); err != nil {
		return err
	}
	return s.eachChunk(ctx, id, aws.String("attribute_not_exists(expires)"), func(all []Checkpoint) error {
		numbers := make([]int64, len(all))
		for i, c := range all {
			numbers[i] = c.Chunk
		}
		return s.expireChunks(ctx, id, numbers)
	})
}

// ExpireChunks is Expire for who has visited the chunks already.
func (s *Store) ExpireChunks(ctx context.Context, id string, numbers []int64) error {
	if err := s.expireUnsent(ctx, id); err != nil {
		return err
	}
	return s.expireChunks(ctx, id, numbers)
}

func (s *Store) expireUnsent(ctx context.Context, id string) error {
	left, err := s.Outbox(ctx, id)
	if err != nil {
		return err
	}
	unsent := make([]item, len(left))
	for i, page := range left {
		unsent[i] = outboxKey(id, page.After)
	}
	return s.expire(ctx, unsent)
}

func (s *Store) expireChunks(ctx context.Context, id string, numbers []int64) error {
	keys := make([]item, len(numbers))
	for i, n := range numbers {
		keys[i] = chunkKey(id, n)
	}
	return s.expire(ctx, keys)
}

// expire lets items go that are still there, and are not on their way out already.
func (s *Store) expire(ctx context.Context, keys []item) error {
	at := number(s.now().Add(s.retention).Unix())
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallel)
	for _, key := range keys {
		writes.Go(func() error {
			_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: &s.table, Key: key, UpdateExpression: aws.String("SET expires = :at"), ExpressionAttributeValues: item{":at": at},
				ConditionExpression: aws.String("attribute_exists(PK) AND attribute_not_exists(expires)"),
			})
			if refused(err) {
				return nil
			}
			return s.classify("UpdateItem", err)
		})
	}
	return writes.Wait()
}
