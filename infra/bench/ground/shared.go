package ground

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Shared is the database of the deployed stack, where the table is a table among others and is filled each time.
type Shared struct {
	conn *pgx.Conn
	url  string
}

// NewShared takes a place in a database.
func NewShared(ctx context.Context, url string) (*Shared, error) {
	conn, err := enter(ctx, url)
	if err != nil {
		return nil, err
	}
	return &Shared{conn: conn, url: url}, nil
}

// Make fills the table.
func (s *Shared) Make(ctx context.Context, task Task, rows int64) (*Table, error) {
	return &Table{URL: s.url, Conn: s.conn, Rows: rows, Task: task}, fill(ctx, s.conn, task, rows)
}

// Server is the connection to the stack's database.
func (s *Shared) Server() *pgx.Conn { return s.conn }

// Close drops the table, and the undo that runs have left for it.
func (s *Shared) Close() {
	for _, step := range []string{
		"DROP TABLE IF EXISTS " + Relation,
		`DELETE FROM backfill.undo u USING backfill.runs r WHERE r.run = u.run AND r.target = '"public"."backfill_bench"'`,
	} {
		_, _ = s.conn.Exec(context.Background(), step) // else the next benchmark does it
	}
	_ = s.conn.Close(context.Background())
}
