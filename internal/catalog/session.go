package catalog

import (
	"context"
	"fmt"

	"backfill/internal/failure"
)

// session is what the connection brings along.
type session struct {
	role       string // quoted
	searchPath string
	strings    bool // a backslash in '...' is an ordinary character
	encoding   string
}

// Time limits: a person waits for the answer, and users wait behind a lock that waits.
const beginning = `SELECT quote_ident(current_user), current_setting('search_path'),
	current_setting('standard_conforming_strings') = 'on', current_setting('server_encoding'),
	set_config('statement_timeout', '10s', true), set_config('lock_timeout', '3s', true)`

// catalogPath makes format_type qualify the names of all types that are not Postgres' own: workers may have another
// search_path than whoever planned the run.
const catalogPath = `pg_catalog, pg_temp`

func (r *resolver) begin(ctx context.Context) error {
	var ignored string
	s := &r.session
	if err := r.tx.QueryRow(ctx, beginning).Scan(&s.role, &s.searchPath, &s.strings, &s.encoding, &ignored, &ignored); err != nil {
		return fmt.Errorf("set time limits: %w", err)
	}
	if s.encoding == "SQL_ASCII" { // any bytes: nothing converts them, and nobody knows what they mean
		return failure.New(failure.Invalid, "the database has encoding SQL_ASCII: text that is not ASCII would not survive "+
			"its way through JSON; dump it, and restore it into one with encoding UTF8")
	}
	if !s.strings {
		r.refuse("", 0, "the server has standard_conforming_strings off, so a backslash would hide quotes",
			"ALTER ROLE "+s.role+" SET standard_conforming_strings = on")
	}
	return r.setPath(ctx, catalogPath)
}

func (r *resolver) setPath(ctx context.Context, path string) error {
	if _, err := r.tx.Exec(ctx, "SELECT set_config('search_path', $1, true)", path); err != nil {
		return fmt.Errorf("set search_path: %w", err)
	}
	return nil
}
