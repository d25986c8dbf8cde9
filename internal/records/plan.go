package records

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/keyset"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Plan is how far the key space is cut into chunks.
type Plan struct {
	Planned int64        // chunks 1 to Planned exist
	Cursor  keyset.Point // where the next chunk begins; nil: where the run begins, or all is planned down to the first key
	Closed  bool         // nothing is left behind the last chunk
}

// SetPlan says how far the key space is cut, where that was lost.
func (s *Store) SetPlan(ctx context.Context, id string, plan Plan) error {
	return s.update(ctx, id, "SET planned = :planned, closed = :closed, #cursor = :cursor",
		item{":planned": number(plan.Planned), ":closed": truth(plan.Closed), ":cursor": point(plan.Cursor)},
		map[string]string{"#cursor": "cursor"})
}

// OpenPlan has a plan of so many chunks go on. One that has gone on by now is left as it is.
func (s *Store) OpenPlan(ctx context.Context, id string, planned int64) error {
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: runKey(id), UpdateExpression: aws.String("SET closed = :open"), ConditionExpression: aws.String("planned = :planned"),
		ExpressionAttributeValues: item{":open": truth(false), ":planned": number(planned)},
	})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("have the plan of run %s go on: %w", id, s.classify("UpdateItem", err))
	}
	return nil
}
