package ground

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// create makes a database anew.
func (o *Own) create(ctx context.Context, name, how string) error {
	if err := o.drop(ctx, name); err != nil {
		return err
	}
	if _, err := o.server.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+how); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

func (o *Own) drop(ctx context.Context, name string) error {
	if _, err := o.server.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

func (o *Own) address(database string) string {
	address, _ := url.Parse(o.url) // it has been connected to
	address.Path = "/" + database
	return address.String()
}

// clear drops what this benchmark or one before it has left.
func (o *Own) clear(ctx context.Context) error {
	rows, err := o.server.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", o.arena)
	if err != nil {
		return fmt.Errorf("list the benchmark's databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list the benchmark's databases: %w", err)
	}
	for _, name := range names {
		if err := o.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
