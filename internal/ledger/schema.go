package ledger

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/postgres"
)

// Version is the version of the schema that this code needs.
const Version = 10

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
	current, err := l.version(ctx)
	if err != nil || current >= Version {
		return err
	}
	return l.migrate(ctx, current)
}

// Renew brings a schema that is there to Version: the stack was deployed anew while its runs went on, or were paused.
func (l *Ledger) Renew(ctx context.Context) error {
	current, err := l.version(ctx)
	if err != nil || current == 0 || current >= Version {
		return err
	}
	return l.migrate(ctx, current)
}

func (l *Ledger) migrate(ctx context.Context, current int) error {
	script, err := Schema(current)
	if err != nil {
		return err
	}
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	whole := fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d);\n%s\n"+
		"INSERT INTO backfill.version (version) SELECT %d WHERE NOT EXISTS "+
		"(SELECT FROM backfill.version WHERE version >= %d); COMMIT", lockMigration, script, Version, Version)
	if _, err := conn.PgConn().Exec(ctx, whole).ReadAll(); err != nil {
		_, _ = conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
		return fmt.Errorf("make schema backfill (version %d): %w", Version, postgres.Classify(err))
	}
	return nil
}

// version is 0 where there is no schema yet.
func (l *Ledger) version(ctx context.Context) (int, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return 0, err
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('backfill.version') IS NOT NULL").Scan(&exists); err != nil {
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
