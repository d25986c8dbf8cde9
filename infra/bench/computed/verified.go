package main

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// verified has workers look at what a run has written, as a verification does that may write as well.
func verified(ctx context.Context, conn *pgx.Conn, url string, rows, workers int) (took time.Duration, cpu float64, err error) {
	if _, err := conn.Exec(ctx, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()"); err != nil {
		return 0, 0, fmt.Errorf("end the run: %w", err)
	}
	session := postgres.NewSession(credentials.Fixed(url), "bench")
	defer session.Drop()
	if _, err := ledger.New(session, terms).Verify(ctx, "bench", "verification", true); err != nil {
		return 0, 0, err
	}
	messages, err := again(ctx, conn)
	if err != nil {
		return 0, 0, err
	}
	begun, own := time.Now(), burntHere()
	used, err := work(ctx, url, messages, workers)
	if err != nil {
		return 0, 0, err
	}
	used.workers = burntHere() - own
	took, cpu = time.Since(begun), used.sum()
	var looked, deviating int64
	err = conn.QueryRow(ctx, "SELECT sum(looked), sum(deviating) FROM backfill.ledger").Scan(&looked, &deviating)
	if err == nil && (looked != int64(rows) || deviating != 0) {
		err = fmt.Errorf("%d rows were looked at, %d deviate", looked, deviating)
	}
	return took, cpu, err
}

// again are the messages of the run's chunks, sent once more.
func again(ctx context.Context, conn *pgx.Conn) ([]chunk.Message, error) {
	found, err := conn.Query(ctx, "SELECT chunk, lo, hi FROM backfill.ledger ORDER BY chunk")
	if err != nil {
		return nil, fmt.Errorf("read the chunks: %w", err)
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (chunk.Message, error) {
		c := chunk.Chunk{Run: "bench"}
		err := row.Scan(&c.Number, &c.Range.Lo, &c.Range.Hi)
		return c.Message(2), err
	})
}
