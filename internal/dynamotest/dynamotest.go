// Package dynamotest gives each test a table of its own on AWS' DynamoDB Local.
//
// It owns the tables that it creates and drops; `make test` starts the server and names it in BACKFILL_TEST_DYNAMODB.
// The table is as template.yaml declares it (a test of package template holds both together). Only tests import it.
package dynamotest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Endpoint is the variable that names the server.
const Endpoint = "BACKFILL_TEST_DYNAMODB"

var tables atomic.Int64

// Table makes an empty table and gives a client whose requests go through the transport (nil: the default one).
func Table(t testing.TB, transport http.RoundTripper) (*dynamodb.Client, string) {
	t.Helper()
	endpoint := os.Getenv(Endpoint)
	if endpoint == "" {
		t.Fatalf("%s is not set: run the tests by `make test`, which starts the server", Endpoint)
	}
	name := fmt.Sprintf("test-%d-%d-%d", os.Getpid(), time.Now().UnixNano(), tables.Add(1))
	plain := client(endpoint, nil)
	if _, err := plain.CreateTable(context.Background(), schema(name)); err != nil {
		t.Fatalf("create table %s at %s: %v", name, endpoint, err)
	}
	t.Cleanup(func() {
		if _, err := plain.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Errorf("drop table %s: %v", name, err)
		}
	})
	return client(endpoint, transport), name
}

func client(endpoint string, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func schema(name string) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keys("PK", "SK"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("runs"), KeySchema: keys("GPK", "GSK"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	}
	for _, attribute := range []string{"PK", "SK", "GPK", "GSK"} {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(attribute), AttributeType: types.ScalarAttributeTypeS,
		})
	}
	return input
}

func keys(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}
