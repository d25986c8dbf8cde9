package assembly

import (
	"cmp"
	"os"
	"time"

	"backfill/internal/credentials"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/trace"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Base is what a function works with in one database of the stack.
type Base struct {
	Database string // "": the stack's own
	AWS      aws.Config
	Tracer   trace.Tracer
	Session  *postgres.Session
	Ledger   *ledger.Ledger
	Records  *records.Store // of the runs of the database
	Gauges   *gauge.Writer
	stack    *Stack
}

// base opens the part of a database, once. Its connection is made when it is first needed.
func (s *Stack) base(name string) Base {
	if known, ok := s.bases[name]; ok {
		return known
	}
	b := Base{Database: name, AWS: s.AWS, Tracer: s.Tracer, Records: s.Records.In(name), stack: s}
	b.Session = b.Beside(s.function).Trace(s.Tracer.Statements())
	b.Ledger = ledger.New(b.Session, ledger.Terms{Lease: s.shared.Lease, Heartbeat: s.shared.Heartbeat})
	b.Gauges = gauge.New(os.Stdout, s.shared.Stack, os.Getenv("AWS_LAMBDA_LOG_LEVEL"), func() string { return cmp.Or(name, b.Session.Database()) }, time.Now)
	s.bases[name] = b
	return b
}

// Beside is another connection by the same login; nothing is opened yet.
func (b Base) Beside(name string) *postgres.Session {
	session := b.stack.session(b.Database, name).Trusting(b.stack.authorities.Roots)
	b.stack.sessions = append(b.stack.sessions, session)
	return session
}

func (s *Stack) session(of, name string) *postgres.Session {
	database := s.databases[of]
	place := credentials.Place{Host: database.Host, Port: database.Port, Name: database.Name, Nowhere: of != ""}
	if database.IAM {
		return postgres.NewSession(credentials.FromIAM(s.AWS.Credentials, s.AWS.Region, place, database.User), name).Renewing(credentials.TokenRemedy(database.User))
	}
	if arn := database.SecretARN; arn != "" {
		return postgres.NewSession(credentials.FromSecret(secretsmanager.NewFromConfig(s.AWS), arn, place), name).Renewing(credentials.Remedy(arn))
	}
	return postgres.NewSession(credentials.Fixed(database.URL), name)
}
