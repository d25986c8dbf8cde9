package ledger

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/postgres"
	"backfill/internal/privilege"

	"github.com/jackc/pgx/v5"
)

// Version is the version of the schema that this code needs.
const Version = 18

// scripts are N_NAME.sql, which brings the schema from version N-1 to N, and the functions of the newest version.
//
//go:embed schema
var scripts embed.FS

// lockMigration is the key of the advisory lock that lets one planner at a time change the schema.
const lockMigration = 0x6261636b66696c6c // "backfill"

// Schema is the SQL that brings a schema of that version (0: none) to Version, for people who run it by hand.
func Schema(from int) (string, error) {
	entries, err := scripts.ReadDir("schema")
	if err != nil {
		return "", fmt.Errorf("list the schema's scripts: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if position(entry.Name()) > from {
			names = append(names, entry.Name())
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return position(a) - position(b) })
	var text strings.Builder
	for _, name := range names {
		script, err := scripts.ReadFile("schema/" + name)
		if err != nil {
			return "", fmt.Errorf("read the schema's script %s: %w", name, err)
		}
		text.Write(script)
		text.WriteByte('\n')
	}
	return text.String(), nil
}

// position is a script's version; functions come last.
func position(name string) int {
	number, _, _ := strings.Cut(name, "_")
	if version, err := strconv.Atoi(number); err == nil {
		return version
	}
	return Version + 1
}

// Migrate makes the schema, or brings it to Version. It takes no lock on anything of the user's.
func (l *Ledger) Migrate(ctx context.Context) error {
	return l.bring(ctx, 0)
}

// Renew brings a schema that is there to Version: the stack was deployed anew while its runs went on, or were paused.
func (l *Ledger) Renew(ctx context.Context) error {
	return l.bring(ctx, 1)
}

// bring brings a schema of version least or more to Version. Where it is there already, that is only read.
func (l *Ledger) bring(ctx context.Context, least int) error {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	current, err := version(ctx, conn)
	if err != nil || current < least || current >= Version {
		return denied(ctx, conn, err)
	}
	if err := migrate(ctx, conn); err != nil {
		_, _ = conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
		return denied(ctx, conn, fmt.Errorf("make schema backfill (version %d): %w", Version, postgres.Classify(err)))
	}
	return nil
}

// denied adds to an error for want of a right what the role lacks.
func denied(ctx context.Context, conn *pgx.Conn, err error) error {
	if !postgres.Raised(err, "42501") {
		return err
	}
	role, asking := privilege.Of(ctx, conn)
	lack, remedy := role.Ledger()
	if asking != nil || lack == "" {
		return err
	}
	return fmt.Errorf("%s; %s: %w", lack, remedy, err)
}

// migrate is one transaction. The version is read again when the lock is had: after a deployment a whole fleet comes at once, and
// the script, which locks the tables of all workers, is to run once.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.PgConn().Exec(ctx, fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", lockMigration)).ReadAll(); err != nil {
		return err
	}
	current, err := version(ctx, conn)
	if err != nil {
		return err
	}
	script := ""
	if current < Version {
		if script, err = Schema(current); err != nil {
			return err
		}
		script += fmt.Sprintf("\nINSERT INTO backfill.version (version) VALUES (%d);", Version)
	}
	_, err = conn.PgConn().Exec(ctx, script+"COMMIT").ReadAll()
	return err
}

// version is 0 where there is no schema yet. It looks into the catalog itself: within the transaction that has waited for the lock
// to_regclass would go by what the connection has kept from before.
func version(ctx context.Context, conn *pgx.Conn) (int, error) {
	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'backfill' AND tablename = 'version')").Scan(&exists)
	if err != nil {
		return 0, fmt.Errorf("look for schema backfill: %w", postgres.Classify(err))
	}
	if !exists {
		return 0, nil
	}
	var version int
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM backfill.version").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read backfill.version: %w", postgres.Classify(err))
	}
	return version, nil
}
