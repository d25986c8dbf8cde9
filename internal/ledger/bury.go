package ledger

import (
	"context"
	"fmt"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/postgres"
)

// Fate is what became of a message of the dead-letter queue. After each of them it has had its effect.
type Fate string

// The fates.
const (
	Buried  Fate = "failed"  // its chunk is FAILED
	GoneOn  Fate = "gone on" // its chunk was sent again, is worked on, or is done
	Resting Fate = "closed"  // its run is paused, or ends: what it needs is sent when it goes on
	Ended   Fate = "ended"   // its run has
	Unknown Fate = "unknown" // there is no such run in this database
)

// Bury decides about a message that was delivered as often as the queue allows: its chunk is FAILED for that reason where
// the message is its newest send still, no resume has come since it was sent, and nobody works on it. Newest is the number of that send as far as the records know; 0: they
// do not. It can be repeated.
func (l *Ledger) Bury(ctx context.Context, message chunk.Message, sentAt time.Time, newest int64, why string) (fate Fate, err error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, "SELECT backfill.bury($1, $2, $3, $4, $5, $6, $7, $8)", message.Run, message.Chunk, message.Lo, message.Hi,
		message.Send, sentAt, newest, why).Scan(&fate)
	if err != nil {
		return "", fmt.Errorf("decide about the dead letter of chunk %d of run %s: %w", message.Chunk, message.Run, postgres.Classify(err))
	}
	return fate, nil
}
