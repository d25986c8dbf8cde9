// Package records keeps runs, the plan, checkpoints and the outbox in DynamoDB.
//
// It owns the items and their conditions. It leaves sending to dispatch and the truth about data to ledger.
// Invariants: a page of chunks, the plan's cursor and the page's outbox item are one transaction; an older fence
// never wins over a newer; a state changes only along the table of run; no row value is in an item.
package records

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v5"
)

var (
	// ErrNotFound is returned by Run, Status and Segment where there is no record of the run.
	ErrNotFound = errors.New("no record of this run")
	// ErrExists is returned by CreateRun where the run is recorded already.
	ErrExists = errors.New("the run is recorded already")
	// ErrTaken is returned by CreateRun where that is a run of another database.
	ErrTaken = errors.New("an id is used once in a stack: start it under another --run")
	// ErrPlanMoved is returned by CommitPage where another planner went on meanwhile.
	ErrPlanMoved = errors.New("another planner has moved the plan")
	// ErrStale is returned by Checkpoint where the record is newer.
	ErrStale = errors.New("the record is newer")
)

// API is the part of DynamoDB that is called.
type API interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Store reads and writes one table.
type Store struct {
	api       API
	table     string
	database  string // of the runs that are recorded; "": the stack's own
	retention time.Duration
	now       func() time.Time
}

// New makes a store. Retention is how long the record of a run stays after its end.
func New(api API, table string, retention time.Duration, now func() time.Time) *Store {
	return &Store{api: api, table: table, retention: retention, now: now}
}

// In is the store for runs of a database: the records that it makes say so. It reads those of all.
func (s *Store) In(database string) *Store {
	of := *s
	of.database = database
	return &of
}

// classify gives an error of DynamoDB its class, with the call and the table in its text.
func (s *Store) classify(call string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s in table %s: %w", call, s.table, err)
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "AccessDeniedException", "ResourceNotFoundException", "ValidationException", "UnrecognizedClientException":
			return failure.As(failure.Permanent, wrapped)
		}
	}
	return failure.As(failure.Transient, wrapped)
}

// refused tells whether a condition did not hold.
func refused(err error) bool {
	var condition *types.ConditionalCheckFailedException
	return errors.As(err, &condition)
}

func (s *Store) get(ctx context.Context, k item) (item, error) {
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: k, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, s.classify("GetItem", err)
	}
	return out.Item, nil
}

// batchGet reads items by their keys, at most 100, in no order; those that are not there are not in the answer.
// DynamoDB may leave keys of a batch unread: then the batch is read again.
func (s *Store) batchGet(ctx context.Context, keys []item) ([]item, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	return backoff.Retry(ctx, func() ([]item, error) {
		out, err := s.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return nil, backoff.Permanent(s.classify("BatchGetItem", err))
		}
		if left := len(out.UnprocessedKeys[s.table].Keys); left > 0 {
			return nil, s.classify("BatchGetItem", fmt.Errorf("%d keys were left", left))
		}
		return out.Responses[s.table], nil
	}, backoff.WithMaxTries(6))
}
