package ground

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Own is a server of the benchmark's own. The table is filled once per task, in a database of which every contender
// gets a copy, file by file: ten times as fast as filling it, and the same to the byte.
type Own struct {
	server *pgx.Conn
	url    string
	arena  string          // the database that contenders work in; its name begins those of all others
	filled map[string]bool // databases to copy from
	inside *pgx.Conn       // to the arena
}

// NewOwn takes a server.
func NewOwn(ctx context.Context, url string) (*Own, error) {
	server, err := enter(ctx, url)
	if err != nil {
		return nil, err
	}
	o := &Own{server: server, url: url, arena: server.Config().Database + "_bench", filled: map[string]bool{}}
	if err := o.clear(ctx); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Make copies the table.
func (o *Own) Make(ctx context.Context, task Task, rows int64) (*Table, error) {
	source := fmt.Sprintf("%s_%s_%d", o.arena, task.Name, rows)
	if !o.filled[source] {
		if err := o.fill(ctx, source, task, rows); err != nil {
			return nil, err
		}
		o.filled[source] = true
	}
	o.leave()
	if err := o.create(ctx, o.arena, " TEMPLATE "+pgx.Identifier{source}.Sanitize()+" STRATEGY file_copy"); err != nil {
		return nil, err
	}
	address := o.address(o.arena)
	inside, err := connect(ctx, address)
	if err != nil {
		return nil, err
	}
	o.inside = inside
	return &Table{URL: address, Conn: inside, Rows: rows, Task: task}, warm(ctx, inside)
}

// Server is a connection beside the table's database.
func (o *Own) Server() *pgx.Conn { return o.server }

// Close removes every database that was made.
func (o *Own) Close() {
	o.leave()
	_ = o.clear(context.Background()) // else the next benchmark does it
	_ = o.server.Close(context.Background())
}

func (o *Own) fill(ctx context.Context, name string, task Task, rows int64) error {
	if err := o.create(ctx, name, ""); err != nil {
		return err
	}
	conn, err := connect(ctx, o.address(name))
	if err != nil {
		return err
	}
	return errors.Join(fill(ctx, conn, task, rows), conn.Close(ctx))
}

func (o *Own) leave() {
	if o.inside != nil {
		_ = o.inside.Close(context.Background())
		o.inside = nil
	}
}

// warm reads the table into memory.
func warm(ctx context.Context, conn *pgx.Conn) error {
	for _, read := range []string{"SELECT sum(length(payload)) FROM " + Relation, "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, read); err != nil {
			return fmt.Errorf("read the table of the benchmark: %w", err)
		}
	}
	return nil
}
