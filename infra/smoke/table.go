package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed table.sql
var making string

const (
	rows     = 20_000
	dropping = "DROP FUNCTION IF EXISTS public.backfill_smoke_once(bigint); DROP SEQUENCE IF EXISTS public.backfill_smoke_calls; DROP TABLE IF EXISTS public.backfill_smoke"
	// counting says of each column how many of its rows were changed once, and how many are neither that nor as they were.
	counting = `SELECT count(*) FILTER (WHERE killed = id + 1), count(*) FILTER (WHERE killed NOT IN (id, id + 1)),
	count(*) FILTER (WHERE stopped = id + 1), count(*) FILTER (WHERE stopped NOT IN (id, id + 1)) FROM public.backfill_smoke`
)

// table is the one that runs change. Without a connection somebody has made it by the script, and looks at it.
type table struct{ conn *pgx.Conn }

// content is how many rows of a column were changed once, and how many more than that.
type content struct{ once, wrong int64 }

// makeTable makes it; an empty URL: it was made by hand.
func makeTable(ctx context.Context, url string) (*table, error) {
	if url == "" {
		return &table{}, nil
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect by BACKFILL_SMOKE_URL: %w", err)
	}
	if _, err := conn.PgConn().Exec(ctx, dropping+";\n"+making).ReadAll(); err != nil {
		return nil, errors.Join(fmt.Errorf("make table backfill_smoke: %w", err), conn.Close(ctx))
	}
	return &table{conn: conn}, nil
}

// read tells of both columns; known is false where nobody can look.
func (t *table) read(ctx context.Context) (killed, stopped content, known bool, err error) {
	if t.conn == nil {
		return killed, stopped, false, nil
	}
	err = t.conn.QueryRow(ctx, counting).Scan(&killed.once, &killed.wrong, &stopped.once, &stopped.wrong)
	if err != nil {
		err = fmt.Errorf("read table backfill_smoke: %w", err)
	}
	return killed, stopped, true, err
}

// drop takes it away.
func (t *table) drop(ctx context.Context) error {
	if t.conn == nil {
		fmt.Printf("the table is left; look at it, and drop it:\n%s;\n%s;\n", counting, dropping)
		return nil
	}
	_, err := t.conn.PgConn().Exec(ctx, dropping).ReadAll()
	return errors.Join(err, t.conn.Close(ctx))
}
