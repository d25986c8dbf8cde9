// Package checkup looks at what a stack needs of its database, before a run needs it.
//
// It owns the checks, their order, and the remedy of each. It leaves rights on the tables of a definition to catalog, which validate asks,
// and the way to AWS to the operators' command. Invariants: it changes nothing, in one transaction that is read only; what cannot be
// looked at is a check that failed, not an error; no value of a row is read.
package checkup

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"backfill/internal/failure"
	"backfill/internal/postgres"
	"backfill/internal/privilege"
	"backfill/internal/run"

	"github.com/jackc/pgx/v5"
)

//go:embed query.sql
var query string

// The states of a check.
const (
	OK   = "ok"
	Warn = "warn" // runs work, and somebody should know
	Fail = "fail" // no run works
)

// Check is one line.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
	// Database is the one that was looked at, where the stack has several.
	Database string `json:"database,omitempty"`
}

// Report is the answer to doctor.
type Report struct {
	Checks []Check `json:"checks"`
}

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
}

// Records are asked whether they answer.
type Records interface {
	List(ctx context.Context, limit int) ([]run.Status, error)
}

// Examiner examines. Records are nil where somebody else looks at them.
type Examiner struct {
	Session Session
	Records Records
	Schema  int   // version of the ledger's schema that the stack needs
	Workers int64 // connections that change data
}

// facts are what query.sql reads.
type facts struct {
	Version     int64
	Release     string
	Database    string
	Standby     bool
	ReadOnly    bool
	Encoding    string
	Strings     bool
	WAL         string
	Autovacuum  bool
	LZ4         bool
	Timeouts    []string // of the role that are shorter than a minute
	Prepared    []string // transactions that wait for longer than one
	Slots       []string // that nobody reads
	Subscribers int64
	Oldest      int64 // seconds that a transaction is open which keeps dead rows
	Places      int64
	Taken       int64
	Own         int64 // connections that the role may have; -1: no limit
	Process     int64
}

// Examine makes all checks.
func (e Examiner) Examine(ctx context.Context) Report {
	var r Report
	e.records(ctx, &r)
	begun := time.Now()
	conn, err := e.Session.Conn(ctx)
	if err != nil {
		remedy := unreached[failure.Of(err)]
		if postgres.Refused(err) { // whatever it is that time does
			remedy = unreached[failure.Permanent]
		}
		r.fail("connection", failure.Safe(err), remedy)
		return r
	}
	took := time.Since(begun).Round(time.Millisecond)
	if err := e.look(ctx, conn, &r, took); err != nil {
		r.fail("database", failure.Safe(postgres.Classify(err)), "run doctor again; if it stays, look at the database's log")
	}
	return r
}

// records looks at what is the same for all databases of a stack: it is asked once.
func (e Examiner) records(ctx context.Context, r *Report) {
	if e.Records == nil {
		return
	}
	if _, err := e.Records.List(ctx, 1); err != nil {
		r.fail("records", "DynamoDB does not answer: "+failure.Safe(err), "check the stack's table and the role of the control function; deploy the stack again")
		return
	}
	r.ok("records", "DynamoDB answers")
}

// unreached is what to do where no connection was had.
var unreached = map[failure.Class]string{
	failure.Transient: "check SubnetIds and SecurityGroupIds of the stack, the inbound rule of the database, and host and port of its secret",
	failure.Permanent: "what it says; else check user, password and database of the secret, and pg_hba.conf",
	failure.Invalid:   "check the secret: it has the form that RDS gives it, or a postgres:// URL",
}

// beginning bounds what is asked.
const beginning = "SELECT pg_catalog.set_config('statement_timeout', '5s', true), pg_catalog.set_config('lock_timeout', '1s', true)"

func (e Examiner) look(ctx context.Context, conn *pgx.Conn, r *Report, took time.Duration) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query) // first: it shows the role's own timeouts
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[facts])
		if err != nil {
			return fmt.Errorf("read the settings: %w", err)
		}
		if _, err := tx.Exec(ctx, beginning); err != nil {
			return fmt.Errorf("set time limits: %w", err)
		}
		role, err := privilege.Of(ctx, conn)
		if err != nil {
			return err
		}
		r.connection(found, fmt.Sprintf("role %s in database %s, had within %s", role.Name, role.Database, took), int64(conn.PgConn().PID()))
		version := 0
		if lack, _ := role.Ledger(); lack == "" && role.Tables {
			if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM backfill.version").Scan(&version); err != nil {
				return fmt.Errorf("read backfill.version: %w", err)
			}
		}
		r.judge(found, role)
		r.ledger(role, version, e.Schema)
		r.connections(found, e.Workers)
		return nil
	})
}
