package records

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Record is the record of a run.
type Record struct {
	Status    run.Status
	Plan      Plan
	Execution string // ARN of the execution that began the run
	Segment   string // ARN of the child execution that beats now
	Beats     int64  // the number of the last beat that was reported, as Postgres counts
}

func runKey(id string) item { return key("RUN#"+id, "RUN") }

// CreateRun records a run that begins. ErrExists where it is recorded already, ErrTaken where that is one of another database.
func (s *Store) CreateRun(ctx context.Context, status run.Status, execution string) error {
	created, err := s.newRun(status)
	if err != nil {
		return err
	}
	created["execution_arn"] = text(execution)
	_, err = s.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: created, ConditionExpression: aws.String("attribute_not_exists(PK)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		return s.exists(status.Run, condition.Item)
	}
	return s.classify("PutItem", err)
}

// exists tells which run has the id.
func (s *Store) exists(id string, found item) error {
	if of := textOf(found["database"]); of != s.database {
		return Taken(id, of)
	}
	return fmt.Errorf("run %s: %w", id, ErrExists)
}

// Taken refuses an id that is that of a run of another database.
func Taken(id, database string) error {
	return failure.New(failure.Invalid, "run %s is one of database %s already: %w", id, cmp.Or(database, definition.OwnDatabase), ErrTaken)
}

// newRun is the item of a run. GPK and GSK list runs by their start (index "runs").
func (s *Store) newRun(status run.Status) (item, error) {
	encoded, err := json.Marshal(status)
	if err != nil {
		return nil, fmt.Errorf("encode the status of run %s: %w", status.Run, err)
	}
	created := runKey(status.Run)
	created["GPK"], created["GSK"] = text("RUNS"), text(status.StartedAt.UTC().Format(time.RFC3339Nano)+"#"+status.Run)
	created["run"], created["status"] = text(status.Run), text(string(encoded))
	created["state"], created["reason"] = text(string(status.State)), text(status.Reason)
	if s.database != "" {
		created["database"] = text(s.database)
	}
	created["planned"], created["closed"] = number(int64(0)), truth(false)
	return created, nil
}

// Run reads the record of a run.
func (s *Store) Run(ctx context.Context, id string) (Record, error) {
	found, err := s.get(ctx, runKey(id))
	if err != nil {
		return Record{}, fmt.Errorf("read run %s: %w", id, err)
	}
	if found == nil {
		return Record{}, failure.New(failure.Invalid, "run %s: %w", id, ErrNotFound)
	}
	return decodeRun(found)
}

// Status reads what people see of a run.
func (s *Store) Status(ctx context.Context, id string) (run.Status, error) {
	record, err := s.Run(ctx, id)
	return record.Status, err
}

// Segment is the child execution that beats for the run of an execution; "" where there is none, or where the run
// belongs to another execution.
func (s *Store) Segment(ctx context.Context, id, execution string) (string, error) {
	record, err := s.Run(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && record.Execution != execution {
		return "", nil
	}
	return record.Segment, err
}

func decodeRun(found item) (Record, error) {
	var r Record
	if err := json.Unmarshal([]byte(textOf(found["status"])), &r.Status); err != nil {
		return r, failure.New(failure.Permanent, "read the record of run %s: %w", textOf(found["run"]), err)
	}
	r.Status.State, r.Status.Database = run.State(textOf(found["state"])), textOf(found["database"])
	if reason := textOf(found["reason"]); reason != "" { // of the state; else what a beat had to say
		r.Status.Reason = reason
	}
	if ended, err := time.Parse(time.RFC3339Nano, textOf(found["ended_at"])); err == nil {
		r.Status.EndedAt, r.Status.ETA, r.Status.ETASpread = &ended, nil, nil
	}
	if swept, err := time.Parse(time.RFC3339Nano, textOf(found["undo_swept_at"])); err == nil {
		r.Status.Undo = run.Undo{SweptAt: &swept}
	}
	r.Plan = Plan{Planned: numberOf(found["planned"]), Cursor: pointOf(found["cursor"]), Closed: truthOf(found["closed"])}
	r.Execution, r.Segment, r.Beats = textOf(found["execution_arn"]), textOf(found["segment_arn"]), numberOf(found["beats"])
	return r, nil
}

// SaveProgress writes the figures of a run, and the number of the beat that read them; its state is not touched.
func (s *Store) SaveProgress(ctx context.Context, status run.Status, beats int64) error {
	encoded, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("encode the status of run %s: %w", status.Run, err)
	}
	return s.update(ctx, status.Run, "SET #status = :status, beats = :beats",
		item{":status": text(string(encoded)), ":beats": number(beats)}, map[string]string{"#status": "status"})
}

// SetSegment notes the child execution that beats now.
func (s *Store) SetSegment(ctx context.Context, id, execution string) error {
	return s.update(ctx, id, "SET segment_arn = :segment", item{":segment": text(execution)}, nil)
}

// NoteSweep notes that what the run kept to be rolled back is no longer there. A record whose time was over is left gone.
func (s *Store) NoteSweep(ctx context.Context, id string, at time.Time) error {
	err := s.update(ctx, id, "SET undo_swept_at = :at", item{":at": text(at.UTC().Format(time.RFC3339Nano))}, nil)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (s *Store) update(ctx context.Context, id, expression string, values item, names map[string]string) error {
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: runKey(id), UpdateExpression: &expression, ExpressionAttributeValues: values,
		ExpressionAttributeNames: names, ConditionExpression: aws.String("attribute_exists(PK)"),
	})
	if refused(err) {
		return failure.New(failure.Invalid, "run %s: %w", id, ErrNotFound)
	}
	return s.classify("UpdateItem", err)
}

// SetState brings the record to a state. It is a copy, and may skip states; it never goes back along the table of run:
// a record that is there already, or further, stays as it is.
func (s *Store) SetState(ctx context.Context, id string, to run.State, reason string) error {
	return s.setState(ctx, id, "", to, reason)
}

// Close is SetState for a run that is ending or has ended, as far as the record still belongs to that execution: a person
// may have brought the run back meanwhile.
func (s *Store) Close(ctx context.Context, id, execution string, to run.State, reason string) error {
	return s.setState(ctx, id, execution, to, reason)
}

func (s *Store) setState(ctx context.Context, id, execution string, to run.State, reason string) error {
	values := item{":to": text(string(to)), ":reason": text(reason)}
	expression := "SET #state = :to, reason = :reason"
	var before []string
	for i, from := range run.Before(to) {
		before = append(before, fmt.Sprintf(":from%d", i))
		values[before[i]] = text(string(from))
	}
	if before == nil {
		return nil
	}
	condition := "attribute_exists(PK)"
	if execution != "" {
		condition += " AND execution_arn = :execution"
		values[":execution"] = text(execution)
	}
	if to.Ended() {
		expression += ", ended_at = :ended, expires = :expires"
		values[":ended"] = text(s.now().UTC().Format(time.RFC3339Nano))
		values[":expires"] = number(s.now().Add(s.retention).Unix())
	}
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: runKey(id), UpdateExpression: &expression, ExpressionAttributeValues: values,
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ConditionExpression:      aws.String(condition + " AND #state IN (" + strings.Join(before, ", ") + ")"),
	})
	if refused(err) {
		return nil
	}
	return s.classify("UpdateItem", err)
}

// Reopen brings the record of a run that has ended, or lost its execution, back to life. It was heard of now: what was
// measured before says nothing about its speed, and its silence is over. Repeated by the same execution it changes nothing,
// the end of the run included, and a call that comes late, when its caller is long gone, finds a record that is another by now.
func (s *Store) Reopen(ctx context.Context, id, action string, state run.State, execution string) error {
	record, err := s.Run(ctx, id)
	if err != nil || record.Execution == execution {
		return err
	}
	was, before := record.Execution, record.Status.State
	record.Status.Action, record.Status.Reason, record.Status.EndedAt = action, "", nil
	record.Status.UpdatedAt, record.Status.Rate, record.Status.Average = s.now().UTC(), 0, 0
	encoded, err := json.Marshal(record.Status)
	if err != nil {
		return fmt.Errorf("encode the status of run %s: %w", id, err)
	}
	_, err = s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: runKey(id),
		UpdateExpression: aws.String("SET #status = :status, #state = :state, reason = :none, execution_arn = :execution REMOVE ended_at, expires, segment_arn"),
		ExpressionAttributeValues: item{":status": text(string(encoded)), ":state": text(string(state)), ":none": text(""),
			":execution": text(execution), ":was": text(was), ":before": text(string(before))},
		ExpressionAttributeNames: map[string]string{"#status": "status", "#state": "state"},
		ConditionExpression:      aws.String("#state = :before AND (attribute_not_exists(execution_arn) OR execution_arn = :was)"),
	})
	if refused(err) { // by a try whose answer was lost, as a rule: the next one finds out
		return failure.New(failure.Transient, "reopen run %s: its record was changed meanwhile", id)
	}
	return s.classify("UpdateItem", err)
}

// RecordEnd records the end of a run that may have no record: it was refused before it began, or its planner died
// between the two stores. A record that is there is brought to the state, as by Close.
func (s *Store) RecordEnd(ctx context.Context, id, backfill, execution string, as run.State, reason string) error {
	now := s.now().UTC()
	created, err := s.newRun(run.Status{Run: id, Backfill: backfill, Action: "start", State: as, Reason: reason,
		StartedAt: now, UpdatedAt: now})
	if err != nil {
		return err
	}
	created["ended_at"], created["expires"] = text(now.Format(time.RFC3339Nano)), number(now.Add(s.retention).Unix())
	_, err = s.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: created, ConditionExpression: aws.String("attribute_not_exists(PK)"),
	})
	if refused(err) {
		return s.Close(ctx, id, execution, as, reason)
	}
	return s.classify("PutItem", err)
}

// List reads the newest runs, at most 100. The index has keys only, since what a run does changes all the time.
func (s *Store) List(ctx context.Context, limit int) ([]run.Status, error) {
	out, err := s.api.Query(ctx, &dynamodb.QueryInput{
		TableName: &s.table, IndexName: aws.String("runs"), Limit: aws.Int32(int32(limit)), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: aws.String("GPK = :runs"), ExpressionAttributeValues: item{":runs": text("RUNS")},
	})
	if err != nil {
		return nil, s.classify("Query", err)
	}
	keys := make([]item, len(out.Items))
	for i, found := range out.Items {
		keys[i] = item{"PK": found["PK"], "SK": found["SK"]}
	}
	records, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	return newestFirst(out.Items, records)
}

// newestFirst gives the answer of a batch, which has no order, that of the index. A run whose time was over between
// the two reads is left out.
func newestFirst(order, records []item) ([]run.Status, error) {
	byKey := make(map[string]item, len(records))
	for _, found := range records {
		byKey[textOf(found["PK"])] = found
	}
	var runs []run.Status
	for _, entry := range order {
		found, ok := byKey[textOf(entry["PK"])]
		if !ok {
			continue
		}
		record, err := decodeRun(found)
		if err != nil {
			return nil, err
		}
		runs = append(runs, record.Status)
	}
	return runs, nil
}
