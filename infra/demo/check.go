package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"

	"backfill/internal/figure"

	"github.com/jackc/pgx/v5"
)

// status is the part of `backfill status -o json` that the summary shows.
type status struct {
	Run    string `json:"run"`
	Table  string `json:"table"`
	Chunks struct {
		Total   int64 `json:"total"`
		Retries int64 `json:"retries"`
	} `json:"chunks"`
	Rows struct {
		Scanned  int64 `json:"scanned"`
		Affected int64 `json:"affected"`
	} `json:"rows"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// change starts the backfill as a user would, follows it, and reads how it ended.
func change(ctx context.Context) (status, error) {
	var s status
	id := prefix + time.Now().UTC().Format("20060102-150405")
	fmt.Printf("$ bin/backfill start %s --run %s --wait\n", backfill, id)
	if err := command("start", backfill, "--run", id, "--wait").Run(); err != nil {
		return s, fmt.Errorf("the backfill did not complete: %w", err)
	}
	text, err := exec.CommandContext(ctx, "bin/backfill", "status", id, "-o", "json").Output()
	if err != nil {
		return s, fmt.Errorf("read the status of run %s: %w", id, err)
	}
	return s, json.Unmarshal(text, &s)
}

// check reads the whole table: what should have changed, and that nothing else did.
func check(ctx context.Context, conn *pgx.Conn, before string, s status) error {
	var all, wrong, written int64
	err := conn.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE email_normalized IS DISTINCT FROM lower(trim(both ' ' from email))),
		count(email_normalized) FROM public.users`).Scan(&all, &wrong, &written)
	if err != nil {
		return fmt.Errorf("check the example's table: %w", err)
	}
	var after string
	if err := conn.QueryRow(ctx, others).Scan(&after); err != nil {
		return fmt.Errorf("check the example's table: %w", err)
	}
	if all != rows || wrong != 0 || written != s.Rows.Affected || after != before {
		return fmt.Errorf("the table is not as it should be: %s rows, %s wrong, %s written (status says %s), other columns untouched: %t",
			figure.Count(all), figure.Count(wrong), figure.Count(written), figure.Count(s.Rows.Affected), after == before)
	}
	seconds := s.EndedAt.Sub(s.StartedAt).Seconds()
	fmt.Printf("\ncheck passed, by SQL of its own: %s rows, 0 wrong, other columns untouched\n", figure.Count(all))
	fmt.Printf("  %s rows read, %s written · %.1f s · %s rows/s · %s · %s\n", figure.Count(s.Rows.Scanned),
		figure.Count(s.Rows.Affected), seconds, figure.Count(int64(float64(s.Rows.Scanned)/seconds)),
		figure.Plural(s.Chunks.Total, "chunk", "chunks"), figure.Plural(s.Chunks.Retries, "retry", "retries"))
	return nil
}
