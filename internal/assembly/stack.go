// Package assembly opens what all functions have in common: AWS and the records, and for each database of the stack a connection and its ledger.
//
// It owns the order of opening, what is shared by the four mains, and that what a main adds is made once for each database; which one an
// invocation is about is routing's. Invariants: nothing is called while it opens, so that a wrong setting is told and not a timeout; what belongs
// to a database is never used for another; Drop closes whatever was opened.
package assembly

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"backfill/internal/authority"
	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/routing"
	"backfill/internal/settings"
	"backfill/internal/trace"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// attempts of a call to AWS: with the SDK's backoff about 20 s of throttling are waited for.
const attempts = 6

// Stack is what every function works with, whichever database it is about.
type Stack struct {
	AWS     aws.Config
	Tracer  trace.Tracer
	Records *records.Store // of all databases

	function    string
	shared      settings.Shared
	authorities authority.Authorities
	databases   map[string]settings.Database // by name; "": the stack's own
	bases       map[string]Base
	sessions    []*postgres.Session
}

// Open opens it for a function of that name. Retention is of the records of ended runs.
func Open(ctx context.Context, function string, shared settings.Shared, retention time.Duration) (*Stack, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(attempts))
	if err != nil {
		return nil, failure.New(failure.Permanent, "load the configuration of AWS: %w", err)
	}
	tracer, err := trace.New(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	tracer.Instrument(&loaded)
	authorities, err := authority.Open(shared.Database.Bundle)
	if err != nil {
		return nil, err
	}
	databases := map[string]settings.Database{"": shared.Database}
	for _, named := range shared.Named {
		databases[named.Name] = named.Database
	}
	return &Stack{
		AWS: loaded, Tracer: tracer, Records: records.New(dynamodb.NewFromConfig(loaded), shared.Table, retention, time.Now),
		function: function, shared: shared, authorities: authorities, databases: databases, bases: map[string]Base{},
	}, nil
}

// Databases are those of the stack.
func (s *Stack) Databases() routing.Databases {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.databases)), func(name string) bool { return name == "" })
}

// Ledger is that of a database of the stack.
func (s *Stack) Ledger(database string) routing.Ledger { return s.base(database).Ledger }

// Reach is the ledger of a database, brought to this version. One that the stack does not have is an error of class failure.Permanent.
func (s *Stack) Reach(ctx context.Context, database string) (*ledger.Ledger, error) {
	if err := s.Databases().Kept(database); err != nil {
		return nil, err
	}
	entries := s.base(database).Ledger
	return entries, entries.Renew(ctx)
}

// Runs finds the database of a run.
func (s *Stack) Runs() *routing.Runs {
	return &routing.Runs{Databases: s.Databases(), Records: s.Records, Ledger: s.Ledger}
}

// Drop closes every connection.
func (s *Stack) Drop() {
	for _, session := range s.sessions {
		session.Drop()
	}
}
