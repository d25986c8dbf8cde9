// Package postgres opens connections to the target database and gives its errors a class.
//
// It owns what every connection of the product has in common: settings that hold through poolers, text formats that
// do not depend on the server's defaults, and the mapping from driver errors to failure classes. It leaves SQL to
// statement, ledger, catalog and boundary. Invariants: no session state beyond start-up parameters (poolers in
// transaction mode hand out another server connection for each transaction); an error that leaves this package
// never shows a row's value in its safe text.
package postgres

import (
	"context"
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// described is the way of all statements that are not prepared: unnamed, and described once. One round trip, a plan for
// the very values, and nothing that a pooler would lose.
const described = pgx.QueryExecModeCacheDescribe

// connectTimeout bounds the wait for a server that does not answer, well below every function's timeout.
const connectTimeout = 10 * time.Second

// Connect opens one connection. Name is shown in pg_stat_activity.application_name as "backfill NAME".
// An unreachable server is failure.Transient; a refused login, and one that is not believed to be the right server, failure.Permanent.
func Connect(ctx context.Context, url, name string) (*pgx.Conn, error) {
	return connect(ctx, url, name, described, nil, nil)
}

func connect(ctx context.Context, url, name string, mode pgx.QueryExecMode, tracer pgx.QueryTracer, roots func(host string) *x509.CertPool) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", withoutURL(err))
	}
	Configure(config, name)
	config.DefaultQueryExecMode, config.Tracer = mode, tracer
	trust(config, roots)
	conn, err := pgx.ConnectConfig(ctx, config)
	if Raised(err, "42501") {
		return nil, fmt.Errorf("connect to database %s at %s: %w; GRANT CONNECT ON DATABASE %s TO %s", config.Database, config.Host,
			Classify(err), pgx.Identifier{config.Database}.Sanitize(), pgx.Identifier{config.User}.Sanitize())
	}
	if err != nil {
		return nil, fmt.Errorf("connect to database %s at %s: %w", config.Database, config.Host, untrusted(err))
	}
	return conn, nil
}

// Configure sets what all connections share.
func Configure(config *pgx.ConnConfig, name string) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.DefaultQueryExecMode = described
	config.RuntimeParams["application_name"] = "backfill " + name
	// Keys travel as text, and as JSON; poolers track these parameters.
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["datestyle"] = "ISO, MDY"
	config.RuntimeParams["timezone"] = "UTC"
}

// Major is the server's major version, 0 where it does not say.
func Major(conn *pgx.Conn) int {
	number, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
	major, _ := strconv.Atoi(strings.TrimSpace(number))
	return major
}
