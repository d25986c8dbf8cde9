package main

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"backfill/internal/figure"

	"github.com/jackc/pgx/v5"
)

//go:embed users.sql
var users string

// others is a digest of every column that the backfill must not touch.
const others = `SELECT sum(hashtextextended(ROW(id, email, full_name, display_name, country, plan, visits, settings,
	created_at, last_seen_at)::text, 0)::numeric)::text FROM public.users`

// generate makes the table anew and returns the digest of what has to stay.
func generate(ctx context.Context, conn *pgx.Conn) (string, error) {
	fmt.Printf("table public.users: making %s rows with 3 secondary indexes ... ", figure.Count(rows))
	begun := time.Now()
	script := strings.ReplaceAll(users, ":rows", strconv.Itoa(rows))
	if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
		return "", fmt.Errorf("make the example's table: %w", err)
	}
	var digest string
	if err := conn.QueryRow(ctx, others).Scan(&digest); err != nil {
		return "", fmt.Errorf("read the digest of the example's table: %w", err)
	}
	fmt.Printf("%.1f s\n", time.Since(begun).Seconds())
	return digest, nil
}
