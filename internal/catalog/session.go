package catalog

import (
	"context"
	"fmt"
)

// session is what the connection brings along.
type session struct {
	role       string // quoted
	searchPath string
	strings    bool // a backslash in '...' is an ordinary character
}

// Time limits: a person waits for the answer, and users wait behind a lock that waits.
const beginning = `SELECT quote_ident(current_user), current_setting('search_path'),
	current_setting('standard_conforming_strings') = 'on',
	set_config('statement_timeout', '10s', true), set_config('lock_timeout', '3s', true)`

// catalogPath makes format_type qualify the names of all types that are not Postgres' own: workers may have another
// search_path than whoever planned the run.
const catalogPath = `pg_catalog, pg_temp`

func (r *resolver) begin(ctx context.Context) error {
	var ignored string
	s := &r.session
	if err := r.tx.QueryRow(ctx, beginning).Scan(&s.role, &s.searchPath, &s.strings, &ignored, &ignored); err != nil {
		return fmt.Errorf("set time limits: %w", err)
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
