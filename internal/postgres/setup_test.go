package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// tables holds rows with a marker (*marker-7077) that must not leave Postgres, and what makes them hard to change.
const tables = `
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE other (name text PRIMARY KEY);
INSERT INTO other VALUES ('Ann');
CREATE TABLE t (id int PRIMARY KEY, secret text NOT NULL, short varchar(3), n int, amount numeric, at timestamptz, doc jsonb,
	"user" text UNIQUE, friend text REFERENCES other, checked text CHECK (length(checked) < 9), during tsrange,
	EXCLUDE USING gist ("user" WITH =, during WITH &&));
CREATE INDEX t_doc ON t (doc);
INSERT INTO t (id, secret, amount, "user", during) VALUES (1, '*marker-7077', 70777077707770777, '*marker-7077', '[2026-01-01,2026-01-03)');
INSERT INTO t (id, secret, "user") VALUES (2, '*marker-7077', 'Bob');
CREATE VIEW short AS SELECT id, secret FROM t WHERE length(secret) < 20 WITH CHECK OPTION;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN RAISE EXCEPTION USING ERRCODE = TG_ARGV[0], MESSAGE = 'no ' || NEW.secret, DETAIL = NEW.secret, HINT = NEW.secret; END $$;`

// bundle is a database with the tables, and a connection to it.
type bundle struct {
	db   pgtest.Database
	conn *pgx.Conn
}

func setup(t *testing.T, db pgtest.Database) *bundle {
	t.Helper()
	db.Exec(t, tables)
	return &bundle{db: db, conn: db.Connect(t)}
}

// expectError holds an error of the server against its class, and its safe text against the row's values.
func expectError(t *testing.T, err error, code string, class failure.Class) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want SQLSTATE %s", code)
	}
	classed := postgres.Classify(fmt.Errorf("apply batch 7: %w", err))
	if got := stateOf(err); got != code || failure.Of(classed) != class {
		t.Errorf("SQLSTATE %s is %s, want %s, %s: %v", got, failure.Of(classed), code, class, err)
	}
	safe := failure.Safe(classed)
	if !strings.HasPrefix(safe, "apply batch 7: ") || !strings.Contains(safe, "SQLSTATE "+code) || strings.Contains(safe, "marker") || strings.Contains(safe, "7077") {
		t.Errorf("safe text %q of: %v", safe, err)
	}
}

func stateOf(err error) string {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return ""
	}
	return server.Code
}

// quotes tells whether what the server sent has the row's value somewhere.
func quotes(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (strings.Contains(server.Message+server.Detail+server.Hint+server.Where, "marker") ||
		strings.Contains(server.Message+server.Detail+server.Where, "7077"))
}

func exec(conn *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			return err
		}
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
