// Package assembly opens what all functions have in common: AWS, the database, the ledger and the records.
//
// It owns the order of opening and what is shared by the four mains; each main adds what is its own. Invariant:
// nothing is called while it opens, so that a wrong setting is told and not a timeout.
package assembly

import (
	"context"
	"os"
	"time"

	"backfill/internal/authority"
	"backfill/internal/credentials"
	"backfill/internal/failure"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/settings"
	"backfill/internal/trace"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// attempts of a call to AWS: with the SDK's backoff about 20 s of throttling are waited for.
const attempts = 6

// Base is what every function works with.
type Base struct {
	AWS     aws.Config
	Tracer  trace.Tracer
	Session *postgres.Session
	Ledger  *ledger.Ledger
	Records *records.Store
	Gauges  *gauge.Writer
	open    func(name string) *postgres.Session
}

// Open opens it for a function of that name. Retention is of the records of ended runs.
func Open(ctx context.Context, name string, shared settings.Shared, retention time.Duration) (Base, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(attempts))
	if err != nil {
		return Base{}, failure.New(failure.Permanent, "load the configuration of AWS: %w", err)
	}
	tracer, err := trace.New(os.LookupEnv)
	if err != nil {
		return Base{}, err
	}
	tracer.Instrument(&loaded)
	authorities, err := authority.Open(shared.Database.Bundle)
	if err != nil {
		return Base{}, err
	}
	open := func(name string) *postgres.Session {
		return session(loaded, shared.Database, name).Trusting(authorities.Roots)
	}
	session := open(name).Trace(tracer.Statements())
	return Base{
		AWS: loaded, Tracer: tracer, Session: session, open: open,
		Gauges:  gauge.New(os.Stdout, shared.Stack, os.Getenv("AWS_LAMBDA_LOG_LEVEL"), session.Database, time.Now),
		Ledger:  ledger.New(session, ledger.Terms{Lease: shared.Lease, Heartbeat: shared.Heartbeat}),
		Records: records.New(dynamodb.NewFromConfig(loaded), shared.Table, retention, time.Now),
	}, nil
}

// Beside is another connection by the same login; nothing is opened yet.
func (b Base) Beside(name string) *postgres.Session { return b.open(name) }

func session(loaded aws.Config, database settings.Database, name string) *postgres.Session {
	place := credentials.Place{Host: database.Host, Port: database.Port, Name: database.Name}
	if database.IAM {
		return postgres.NewSession(credentials.FromIAM(loaded.Credentials, loaded.Region, place, database.User), name).Renewing(credentials.TokenRemedy(database.User))
	}
	if arn := database.SecretARN; arn != "" {
		return postgres.NewSession(credentials.FromSecret(secretsmanager.NewFromConfig(loaded), arn, place), name).Renewing(credentials.Remedy(arn))
	}
	return postgres.NewSession(credentials.Fixed(database.URL), name)
}
