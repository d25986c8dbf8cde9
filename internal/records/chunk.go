package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/keyset"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"
)

// parallel is the number of writes at once when all chunks of a run are written: 10,000 chunks take some seconds.
const parallel = 16

// Checkpoint is the copy of a chunk's state. Range is written only where the copy has to be made;
// Send, SentAt and Expires are only read.
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
	SentAt   time.Time
	Expires  bool // it goes when its run's record goes
}

// Checkpoint writes the copy, and makes it where it was lost. ErrStale where the record is newer.
func (s *Store) Checkpoint(ctx context.Context, c Checkpoint) error {
	expression := "SET #run = :run, chunk = :chunk, #state = :state, fence = :fence, scanned = :scanned, affected = :affected, " +
		"reason = :reason, updated_at = :now, hi = if_not_exists(hi, :hi), send = if_not_exists(send, :one), sent_at = if_not_exists(sent_at, :zero)"
	values := item{":run": text(c.Run), ":chunk": number(c.Chunk), ":state": text(string(c.State)), ":fence": number(c.Fence),
		":scanned": number(c.Scanned), ":affected": number(c.Affected), ":reason": text(c.Reason),
		":now": text(s.now().UTC().Format(time.RFC3339Nano)), ":hi": point(c.Range.Hi), ":one": number(1), ":zero": number(0),
		":pending": text(string(chunk.Pending)), ":processing": text(string(chunk.Processing))}
	if c.Range.Lo != nil {
		expression += ", lo = if_not_exists(lo, :lo)"
		values[":lo"] = point(c.Range.Lo)
	}
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: chunkKey(c.Run, c.Chunk), UpdateExpression: aws.String(expression + " REMOVE expires"),
		ExpressionAttributeNames: map[string]string{"#state": "state", "#run": "run"}, ExpressionAttributeValues: values,
		// A copy that comes late must not undo a later one of the same fence: a chunk that was left stays left.
		ConditionExpression: aws.String("attribute_not_exists(PK) OR fence < :fence OR " +
			"fence = :fence AND (#state IN (:pending, :processing) OR #state = :state)"),
	})
	if refused(err) {
		return fmt.Errorf("checkpoint chunk %d of run %s with fence %d: %w", c.Chunk, c.Run, c.Fence, ErrStale)
	}
	return s.classify("UpdateItem", err)
}

// Checkpoints writes many copies. Those whose record is newer are left as they are.
func (s *Store) Checkpoints(ctx context.Context, checkpoints []Checkpoint) error {
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallel)
	for _, c := range checkpoints {
		writes.Go(func() error {
			if err := s.Checkpoint(ctx, c); !errors.Is(err, ErrStale) {
				return err
			}
			return nil
		})
	}
	return writes.Wait()
}

// Sent notes that the queue has taken a message of a chunk that no worker has claimed.
func (s *Store) Sent(ctx context.Context, message chunk.Message) error {
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: chunkKey(message.Run, message.Chunk),
		UpdateExpression:          aws.String("SET send = :send, sent_at = :now REMOVE expires"),
		ExpressionAttributeValues: item{":now": number(s.now().UnixMilli()), ":send": number(message.Send)},
		ConditionExpression:       aws.String("attribute_exists(PK) AND send <= :send"),
	})
	if refused(err) {
		return nil // a later send was noted meanwhile
	}
	return s.classify("UpdateItem", err)
}

// Overwrite makes the records of chunks anew, whatever they say now. Their last send counts as lost.
func (s *Store) Overwrite(ctx context.Context, checkpoints []Checkpoint) error {
	writes, ctx := errgroup.WithContext(ctx)
	writes.SetLimit(parallel)
	for _, c := range checkpoints {
		writes.Go(func() error {
			made := s.newChunk(chunk.Chunk{Run: c.Run, Number: c.Chunk, Range: c.Range})
			made["state"], made["fence"], made["reason"] = text(string(c.State)), number(c.Fence), text(c.Reason)
			made["scanned"], made["affected"], made["sent_at"] = number(c.Scanned), number(c.Affected), number(0)
			_, err := s.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: made})
			return s.classify("PutItem", err)
		})
	}
	return writes.Wait()
}

// Chunks reads chunks by their numbers, at most 100.
func (s *Store) Chunks(ctx context.Context, id string, numbers []int64) ([]Checkpoint, error) {
	keys := make([]item, len(numbers))
	for i, n := range numbers {
		keys[i] = chunkKey(id, n)
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	all := make([]Checkpoint, len(found))
	for i := range found {
		all[i] = decodeChunk(found[i])
	}
	return all, nil
}

// EachChunk visits all chunks of a run, shard by shard.
func (s *Store) EachChunk(ctx context.Context, id string, visit func([]Checkpoint) error) error {
	return s.eachChunk(ctx, id, nil, visit)
}

// eachChunk visits those that a filter lets pass; nil: all.
func (s *Store) eachChunk(ctx context.Context, id string, filter *string, visit func([]Checkpoint) error) error {
	taken, err := s.taken(ctx, id)
	if err != nil {
		return err
	}
	for _, shard := range taken {
		pages := dynamodb.NewQueryPaginator(s.api, &dynamodb.QueryInput{
			TableName: &s.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("PK = :shard"),
			FilterExpression: filter, ExpressionAttributeValues: item{":shard": text(shard)},
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

// taken are the shards that chunks of the run may be in: a small plan has few. All, where no record tells of a plan: workers may have
// made copies of chunks none the less.
func (s *Store) taken(ctx context.Context, id string) ([]string, error) {
	record, err := s.Run(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	count := record.Plan.Planned
	if count == 0 {
		count = shards
	}
	taken := make([]string, min(count, shards))
	for i := range taken {
		taken[i] = shardOf(id, int64(i)+1)
	}
	return taken, nil
}

func decodeChunk(found item) Checkpoint {
	return Checkpoint{
		Run: textOf(found["run"]), Chunk: numberOf(found["chunk"]), State: chunk.State(textOf(found["state"])),
		Fence: numberOf(found["fence"]), Scanned: numberOf(found["scanned"]), Affected: numberOf(found["affected"]),
		Reason: textOf(found["reason"]), Range: keyset.Range{Lo: pointOf(found["lo"]), Hi: pointOf(found["hi"])},
		Send: numberOf(found["send"]), SentAt: time.UnixMilli(numberOf(found["sent_at"])), Expires: found["expires"] != nil,
	}
}
