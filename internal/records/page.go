package records

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/keyset"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// MaxPage is the number of chunks in a page: a transaction holds 100 actions, two are the cursor and the outbox.
const MaxPage = 98

// shards spreads the chunks of a run over partition keys. Each takes 1,000 writes a second; a chunk is three to five
// writes over its life, so 16 shards are good for 3,000 chunks a second.
const shards = 16

// Page is a stretch of the plan that is committed, and then sent, as one.
type Page struct {
	Run    string
	After  int64 // chunks that were planned before it
	Chunks []chunk.Chunk
	Order  keyset.Order
	Closed bool // the plan ends with it
}

func chunkKey(id string, n int64) item {
	return key(shardOf(id, n), fmt.Sprintf("CHUNK#%012d", n))
}

func shardOf(id string, n int64) string { return fmt.Sprintf("RUN#%s#%02d", id, n%shards) }

func outboxKey(id string, after int64) item {
	return key("RUN#"+id, fmt.Sprintf("OUTBOX#%012d", after))
}

// CommitPage stores the page's chunks, moves the plan, and puts the page into the outbox, in one transaction.
// ErrPlanMoved (failure.Transient) where the plan is not where the page begins, unless it is this very page that is
// there: then an earlier call did it.
func (s *Store) CommitPage(ctx context.Context, page Page) error {
	if len(page.Chunks) > MaxPage {
		return failure.New(failure.Permanent, "a page of %d chunks is more than %d", len(page.Chunks), MaxPage)
	}
	actions := []types.TransactWriteItem{s.movePlan(page)}
	numbers := make([]int64, len(page.Chunks))
	for i, c := range page.Chunks {
		numbers[i] = c.Number
		actions = append(actions, types.TransactWriteItem{Put: &types.Put{TableName: &s.table, Item: s.newChunk(c),
			ConditionExpression: aws.String("attribute_not_exists(PK)")}})
	}
	if len(numbers) > 0 {
		actions = append(actions, types.TransactWriteItem{Put: &types.Put{TableName: &s.table, Item: outboxItem(page.Run, page.After, numbers)}})
	}
	_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) && aws.ToString(cancelled.CancellationReasons[0].Code) == "ConditionalCheckFailed" {
		return s.committed(ctx, page)
	}
	if err != nil {
		return fmt.Errorf("commit the page after chunk %d of run %s: %w", page.After, page.Run, s.classify("TransactWriteItems", err))
	}
	return nil
}

func (s *Store) movePlan(page Page) types.TransactWriteItem {
	planned := page.After + int64(len(page.Chunks))
	expression := "SET planned = :planned, closed = :closed"
	values := item{":planned": number(planned), ":closed": truth(page.Closed), ":after": number(page.After), ":open": truth(false)}
	names := map[string]string{}
	if n := len(page.Chunks); n > 0 {
		expression += ", #cursor = :cursor"
		names["#cursor"] = "cursor"
		values[":cursor"] = point(page.Order.Behind(page.Chunks[n-1].Range))
	} else {
		names = nil
	}
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &s.table, Key: runKey(page.Run), UpdateExpression: &expression, ExpressionAttributeValues: values,
		ExpressionAttributeNames: names, ConditionExpression: aws.String("planned = :after AND closed = :open"),
	}}
}

func (s *Store) newChunk(c chunk.Chunk) item {
	created := chunkKey(c.Run, c.Number)
	created["run"], created["chunk"] = text(c.Run), number(c.Number)
	created["state"], created["hi"] = text(string(chunk.Pending)), point(c.Range.Hi)
	if c.Range.Lo != nil {
		created["lo"] = point(c.Range.Lo)
	}
	created["fence"], created["send"], created["sent_at"] = number(int64(0)), number(int64(1)), number(s.now().UnixMilli())
	return created
}

// committed tells whether the page is what the plan has after chunk page.After, boundary by boundary: two planners
// that cut at two moments may agree on the last boundary and on no other.
func (s *Store) committed(ctx context.Context, page Page) error {
	record, err := s.Run(ctx, page.Run)
	if err != nil {
		return err
	}
	same := record.Plan.Planned == page.After+int64(len(page.Chunks)) && record.Plan.Closed == page.Closed
	if same {
		same, err = s.holds(ctx, page)
	}
	if err != nil || same {
		return err
	}
	return failure.New(failure.Transient, "the page after chunk %d of run %s: %w", page.After, page.Run, ErrPlanMoved)
}

// holds tells whether each chunk of the page is stored with its very range.
func (s *Store) holds(ctx context.Context, page Page) (bool, error) {
	numbers := make([]int64, len(page.Chunks))
	for i, c := range page.Chunks {
		numbers[i] = c.Number
	}
	found, err := s.Chunks(ctx, page.Run, numbers)
	if err != nil {
		return false, err
	}
	stored := make(map[int64]keyset.Range, len(found))
	for _, c := range found {
		stored[c.Chunk] = c.Range
	}
	for _, c := range page.Chunks {
		if held, ok := stored[c.Number]; !ok || !held.Lo.Same(c.Range.Lo) || !held.Hi.Same(c.Range.Hi) {
			return false, nil
		}
	}
	return true, nil
}

// Left is what an outbox item holds: chunks that were committed and may not have been sent.
type Left struct {
	Run    string
	After  int64
	Chunks []int64
}

func outboxItem(id string, after int64, numbers []int64) item {
	created := outboxKey(id, after)
	created["run"], created["after"] = text(id), number(after)
	set := &types.AttributeValueMemberNS{}
	for _, n := range numbers {
		set.Value = append(set.Value, fmt.Sprint(n))
	}
	created["chunks"] = set
	return created
}

// Outbox reads what may not have been sent.
func (s *Store) Outbox(ctx context.Context, id string) ([]Left, error) {
	out, err := s.api.Query(ctx, &dynamodb.QueryInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("PK = :run AND begins_with(SK, :outbox)"),
		ExpressionAttributeValues: item{":run": text("RUN#" + id), ":outbox": text("OUTBOX#")},
	})
	if err != nil {
		return nil, s.classify("Query", err)
	}
	var all []Left
	for _, found := range out.Items {
		left := Left{Run: id, After: numberOf(found["after"])}
		if set, ok := found["chunks"].(*types.AttributeValueMemberNS); ok {
			for _, n := range set.Value {
				left.Chunks = append(left.Chunks, numberOf(&types.AttributeValueMemberN{Value: n}))
			}
		}
		slices.Sort(left.Chunks)
		all = append(all, left)
	}
	return all, nil
}

// SettleOutbox removes a page from the outbox, or keeps those of its chunks that were not accepted.
func (s *Store) SettleOutbox(ctx context.Context, id string, after int64, unsent []int64) error {
	if len(unsent) > 0 {
		_, err := s.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: outboxItem(id, after, unsent)})
		return s.classify("PutItem", err)
	}
	_, err := s.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: outboxKey(id, after)})
	return s.classify("DeleteItem", err)
}
