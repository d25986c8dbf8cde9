package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// ErrNoDefinition is returned by Definition and Versions where no definition of that name, or version, is registered.
var ErrNoDefinition = errors.New("no such definition is registered")

// Definition is one version of a definition that was registered. Versions of a name count from 1.
type Definition struct {
	Name    string
	Version int64
	Hash    string // of Source
	Source  string // the file's text
	Table   string // that it is about, for people
	By      string // who registered it
	At      time.Time
}

// Hash is by what the content of a definition is told from another's.
func Hash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// races is how often somebody else may be quicker with the next version.
const races = 5

func definitionKey(name string, version int64) item {
	return key("DEFINITION#"+name, fmt.Sprintf("VERSION#%012d", version))
}

// Register stores a definition as the next version of its name, and tells whether it did: what the newest version says
// already is that version. Versions are never changed and never removed.
func (s *Store) Register(ctx context.Context, d Definition) (Definition, bool, error) {
	d.Hash, d.At = Hash(d.Source), s.now().UTC()
	for range races {
		found, err := s.versions(ctx, d.Name, 1)
		if err != nil {
			return d, false, err
		}
		d.Version = 1
		for _, newest := range found {
			if newest.Hash == d.Hash && newest.sound() == nil {
				return newest, false, nil
			}
			d.Version = newest.Version + 1
		}
		_, err = s.api.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &s.table, Item: definitionItem(d), ConditionExpression: aws.String("attribute_not_exists(PK)"),
		})
		if !refused(err) {
			return d, err == nil, s.classify("PutItem", err)
		}
	}
	return d, false, failure.New(failure.Transient, "register %s: others register it at the same time", d.Name)
}

// definitionItem has a place in the index "runs", which lists all definitions by name, the newest version of each first.
func definitionItem(d Definition) item {
	created := definitionKey(d.Name, d.Version)
	created["GPK"], created["GSK"] = text(definitions), text(fmt.Sprintf("%s#%012d", d.Name, d.Version))
	created["name"], created["version"], created["hash"], created["source"] = text(d.Name), number(d.Version), text(d.Hash), text(d.Source)
	created["target"], created["by"], created["at"] = text(d.Table), text(d.By), text(d.At.Format(time.RFC3339Nano))
	return created
}

// definitions is the part of the index in which they are.
const definitions = "DEFINITIONS"

// Definition reads a version to be run, 0: the newest.
func (s *Store) Definition(ctx context.Context, name string, version int64) (Definition, error) {
	found, err := s.find(ctx, name, version)
	switch {
	case err != nil:
		return Definition{}, fmt.Errorf("read definition %s: %w", name, err)
	case len(found) == 0:
		return Definition{}, unregistered(name, version)
	}
	return found[0], found[0].sound()
}

// find reads one version, or none.
func (s *Store) find(ctx context.Context, name string, version int64) ([]Definition, error) {
	if version == 0 {
		return s.versions(ctx, name, 1)
	}
	found, err := s.get(ctx, definitionKey(name, version))
	if err != nil || found == nil {
		return nil, err
	}
	return []Definition{decodeDefinition(found)}, nil
}

func unregistered(name string, version int64) error {
	if version > 0 {
		name = fmt.Sprintf("%s@%d", name, version)
	}
	return failure.New(failure.Invalid, "%s: %w", name, ErrNoDefinition)
}

// MostVersions bounds what Versions reads: with their texts they are 64 KiB each at most.
const MostVersions = 50

// Versions reads the newest versions of a definition, the newest first.
func (s *Store) Versions(ctx context.Context, name string) ([]Definition, error) {
	found, err := s.versions(ctx, name, MostVersions)
	if err == nil && len(found) == 0 {
		err = unregistered(name, 0)
	}
	return found, err
}

func (s *Store) versions(ctx context.Context, name string, most int32) (all []Definition, err error) {
	asked := &dynamodb.QueryInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false), Limit: &most,
		KeyConditionExpression:    aws.String("PK = :definition AND begins_with(SK, :version)"),
		ExpressionAttributeValues: item{":definition": text("DEFINITION#" + name), ":version": text("VERSION#")},
	}
	for {
		out, err := s.api.Query(ctx, asked)
		if err != nil {
			return nil, s.classify("Query", err)
		}
		for _, found := range out.Items {
			all = append(all, decodeDefinition(found))
		}
		if len(all) >= int(most) || out.LastEvaluatedKey == nil {
			return all[:min(len(all), int(most))], nil
		}
		asked.ExclusiveStartKey = out.LastEvaluatedKey // an answer ends at 1 MB
	}
}

// Definitions reads the newest version of each definition, in the order of their names.
func (s *Store) Definitions(ctx context.Context) ([]Definition, error) {
	keys, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	var all []Definition
	for batch := range slices.Chunk(keys, 100) {
		found, err := s.batchGet(ctx, batch)
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			all = append(all, decodeDefinition(one))
		}
	}
	slices.SortFunc(all, func(a, b Definition) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// newest are the keys of the newest version of each name. The index may lag a moment behind.
func (s *Store) newest(ctx context.Context) (keys []item, err error) {
	asked := &dynamodb.QueryInput{
		TableName: &s.table, IndexName: aws.String("runs"), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: aws.String("GPK = :definitions"), ExpressionAttributeValues: item{":definitions": text(definitions)},
	}
	for last := ""; ; {
		out, err := s.api.Query(ctx, asked)
		if err != nil {
			return nil, s.classify("Query", err)
		}
		for _, found := range out.Items {
			if name := textOf(found["PK"]); name != last {
				keys, last = append(keys, item{"PK": found["PK"], "SK": found["SK"]}), name
			}
		}
		if out.LastEvaluatedKey == nil {
			return keys, nil
		}
		asked.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func decodeDefinition(found item) Definition {
	d := Definition{Name: textOf(found["name"]), Version: numberOf(found["version"]), Hash: textOf(found["hash"]),
		Source: textOf(found["source"]), Table: textOf(found["target"]), By: textOf(found["by"])}
	if at, err := time.Parse(time.RFC3339Nano, textOf(found["at"])); err == nil {
		d.At = at
	}
	return d
}

// sound refuses a text that is not the one that was registered: that one was checked, and this one would run on a live table.
func (d Definition) sound() error {
	if Hash(d.Source) == d.Hash {
		return nil
	}
	return failure.New(failure.Permanent, "definition %s@%d is not what was registered: its text and its hash do not agree; register the file anew",
		d.Name, d.Version)
}
