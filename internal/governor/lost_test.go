package governor_test

import (
	"context"
	"testing"

	"backfill/internal/records"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// losing loses the record between the first look at it and the note of who beats.
type losing struct {
	*records.Store
	lose func()
}

func (l *losing) SetSegment(ctx context.Context, id, execution string) error {
	if lose := l.lose; lose != nil {
		l.lose = nil
		lose()
	}
	return l.Store.SetSegment(ctx, id, execution)
}

// TestARecordThatIsLostAsABeatBeginsIsMadeAgain: the beat goes on, and is noted in the new record.
func TestARecordThatIsLostAsABeatBeginsIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Plan(t, 6)
	b.Finish(t, 1)
	b.governor.Records = &losing{Store: b.Records, lose: func() {
		_, err := b.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.Table, Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "RUN#" + runtest.ID}, "SK": &types.AttributeValueMemberS{Value: "RUN"}}})
		must(t, err)
	}}
	out := b.beatOf(t, turn.Turn{Run: runtest.ID, Segment: segment, Budget: 400})
	if out.State != run.Running {
		t.Fatalf("%+v", out)
	}
	if got := b.Record(t).Segment; got != segment {
		t.Fatalf("the record notes %q as who beats", got)
	}
}
