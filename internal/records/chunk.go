package records

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/keyset"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"
)

// expiring is the number of writes at once when the chunks of a run are let go: 10,000 chunks take some seconds.
const expiring = 16

// Checkpoint is the copy of a chunk's state. Lo, Hi and Send are only read, never written by Checkpoint.
type Checkpoint struct {
	Run      string
	Chunk    int64
	State    chunk.State
	Fence    int64
	Scanned  int64
	Affected int64
	Reason   string
	Range    keyset.Range
	Send     int64
}

// Checkpoint writes the copy. ErrStale where the record has a higher fence.
func (s *Store) Checkpoint(ctx context.Context, c Checkpoint) error {
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: chunkKey(c.Run, c.Chunk),
		UpdateExpression:         aws.String("SET #state = :state, fence = :fence, scanned = :scanned, affected = :affected, reason = :reason, updated_at = :now"),
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: item{":state": text(string(c.State)), ":fence": number(c.Fence), ":scanned": number(c.Scanned),
			":affected": number(c.Affected), ":reason": text(c.Reason), ":now": text(s.now().UTC().Format(time.RFC3339Nano)),
			":completed": text(string(chunk.Completed))},
		// A copy that comes late must not undo a later one of the same fence: COMPLETED stays.
		ConditionExpression: aws.String("attribute_exists(PK) AND fence <= :fence AND (#state <> :completed OR :state = :completed)"),
	})
	if refused(err) {
		return fmt.Errorf("checkpoint chunk %d of run %s with fence %d: %w", c.Chunk, c.Run, c.Fence, ErrStale)
	}
	return s.classify("UpdateItem", err)
}

// NextSend gives the message of a chunk that is to be sent again, with a send of its own. False: its last send is
// higher than what the ledger has spent, and was sent after the given time, so it is still on its way. A send counts
// as sent when Sent says so: one whose sender died, or got no answer, is due at once.
func (s *Store) NextSend(ctx context.Context, id string, n, spent int64, olderThan time.Time) (chunk.Message, bool, error) {
	out, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: chunkKey(id, n), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String("SET send = send + :one, sent_at = :never"),
		ExpressionAttributeValues: item{":one": number(1), ":never": number(0), ":spent": number(spent),
			":old": number(olderThan.UnixMilli())},
		ConditionExpression: aws.String("attribute_exists(PK) AND (send <= :spent OR sent_at < :old)"),
	})
	if refused(err) {
		return chunk.Message{}, false, nil
	}
	if err != nil {
		return chunk.Message{}, false, s.classify("UpdateItem", err)
	}
	c := decodeChunk(out.Attributes)
	return chunk.Message{Run: id, Chunk: n, Lo: c.Range.Lo, Hi: c.Range.Hi, Send: c.Send}, true, nil
}

// Sent notes that the queue has taken a send of NextSend. A later send of the chunk is left alone.
func (s *Store) Sent(ctx context.Context, message chunk.Message) error {
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: chunkKey(message.Run, message.Chunk), UpdateExpression: aws.String("SET sent_at = :now"),
		ExpressionAttributeValues: item{":now": number(s.now().UnixMilli()), ":send": number(message.Send)},
		ConditionExpression:       aws.String("send = :send"),
	})
	if refused(err) {
		return nil
	}
	return s.classify("UpdateItem", err)
}

// Chunks reads chunks by their numbers, at most 100.
func (s *Store) Chunks(ctx context.Context, id string, numbers []int64) ([]Checkpoint, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	var keys []item
	for _, n := range numbers {
		keys = append(keys, chunkKey(id, n))
	}
	return backoff.Retry(ctx, func() ([]Checkpoint, error) {
		out, err := s.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return nil, backoff.Permanent(s.classify("BatchGetItem", err))
		}
		if len(out.UnprocessedKeys) > 0 {
			return nil, s.classify("BatchGetItem", fmt.Errorf("%d keys were left", len(out.UnprocessedKeys[s.table].Keys)))
		}
		var all []Checkpoint
		for _, found := range out.Responses[s.table] {
			all = append(all, decodeChunk(found))
		}
		return all, nil
	}, backoff.WithMaxTries(6))
}

// EachChunk visits all chunks of a run, shard by shard.
func (s *Store) EachChunk(ctx context.Context, id string, visit func([]Checkpoint) error) error {
	for shard := range shards {
		pages := dynamodb.NewQueryPaginator(s.api, &dynamodb.QueryInput{
			TableName: &s.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("PK = :shard"),
			ExpressionAttributeValues: item{":shard": text(fmt.Sprintf("RUN#%s#%02d", id, shard))},
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return s.classify("Query", err)
			}
			var all []Checkpoint
			for _, found := range out.Items {
				all = append(all, decodeChunk(found))
			}
			if err := visit(all); err != nil {
				return err
			}
		}
	}
	return nil
}

func decodeChunk(found item) Checkpoint {
	return Checkpoint{
		Run: textOf(found["run"]), Chunk: numberOf(found["chunk"]), State: chunk.State(textOf(found["state"])),
		Fence: numberOf(found["fence"]), Scanned: numberOf(found["scanned"]), Affected: numberOf(found["affected"]),
		Reason: textOf(found["reason"]), Range: keyset.Range{Lo: pointOf(found["lo"]), Hi: pointOf(found["hi"])},
		Send: numberOf(found["send"]),
	}
}

// Expire lets the checkpoints of a run that has ended go when its record goes. One write a chunk, in parallel.
func (s *Store) Expire(ctx context.Context, id string) error {
	at := number(s.now().Add(s.retention).Unix())
	return s.EachChunk(ctx, id, func(all []Checkpoint) error {
		writes, ctx := errgroup.WithContext(ctx)
		writes.SetLimit(expiring)
		for _, c := range all {
			writes.Go(func() error {
				_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
					TableName: &s.table, Key: chunkKey(id, c.Chunk), UpdateExpression: aws.String("SET expires = :at"),
					ExpressionAttributeValues: item{":at": at}, ConditionExpression: aws.String("attribute_not_exists(expires)"),
				})
				if refused(err) {
					return nil
				}
				return s.classify("UpdateItem", err)
			})
		}
		return writes.Wait()
	})
}
