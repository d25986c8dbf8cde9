package ground

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed ground.sql
var script string

// Table is the table, as a contender finds it.
type Table struct {
	URL  string // of its database
	Conn *pgx.Conn
	Rows int64
	Task Task
}

// fill makes the table where the connection leads: no dead row, all of it visible, all of it on the disk.
func fill(ctx context.Context, conn *pgx.Conn, task Task, rows int64) error {
	steps := []string{strings.ReplaceAll(script, ":rows", strconv.FormatInt(rows, 10)), task.index,
		"VACUUM (ANALYZE, FREEZE) " + Relation, "CHECKPOINT"}
	for _, step := range steps {
		if _, err := conn.PgConn().Exec(ctx, step).ReadAll(); err != nil {
			return fmt.Errorf("make the table of the benchmark: %w", err)
		}
	}
	return nil
}

// Check demands that every row holds what the task says, or what it held before where that was restored, and that no
// update of a user is lost.
func (t *Table) Check(ctx context.Context, restored bool, updates int64) error {
	want := t.Task.Expression
	if restored {
		want = t.Task.before
	}
	var all, wrong, visits int64
	err := t.Conn.QueryRow(ctx, fmt.Sprintf("SELECT count(*), count(*) FILTER (WHERE %s IS DISTINCT FROM %s), sum(visits)::bigint FROM %s",
		pgx.Identifier{t.Task.Column}.Sanitize(), want, Relation)).Scan(&all, &wrong, &visits)
	if err != nil {
		return fmt.Errorf("check the table of the benchmark: %w", err)
	}
	if all != t.Rows || wrong != 0 || visits != updates {
		return fmt.Errorf("the table is not as it should be: %d rows of %d, %d of them wrong, %d updates of users of %d",
			all, t.Rows, wrong, visits, updates)
	}
	return nil
}
