package repair

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/queue"
	"backfill/internal/records"
)

// rounds of at most ten letters bound what one beat drains: a hundred are a second's work.
const rounds = 10

// dead is the reason of a chunk whose message nobody came to an end with.
const dead = "its message was received as often as the queue allows, without an end: the worker's function crashes, times out or cannot " +
	"reach the database; its log may say why"

// Letters is the dead-letter queue. It is that of all runs of the stack.
type Letters interface {
	Receive(ctx context.Context) ([]queue.Letter, error)
	Delete(ctx context.Context, letters []queue.Letter) error
}

// Graves is what decides about a letter.
type Graves interface {
	Bury(ctx context.Context, message chunk.Message, sentAt time.Time, newest int64, why string) (ledger.Fate, error)
}

// Sends is what the records know of sends.
type Sends interface {
	Chunks(ctx context.Context, id string, numbers []int64) ([]records.Checkpoint, error)
}

// patience bounds what is asked of another database than that of the run: it may be the one that does not answer.
const patience = 5 * time.Second

// Drainer empties the dead-letter queue. Ledger is that of the database of the run that is watched; Others finds that of a letter
// which is about another.
type Drainer struct {
	Letters  Letters
	Ledger   Graves
	Database string // "": the stack's own
	Others   func(ctx context.Context, database string) (Graves, error)
	Records  Sends
	Gauges   *gauge.Writer
}

// Drain decides about what is in the dead-letter queue, whichever run it is of. A letter is deleted when Postgres has
// committed what becomes of it; one about which nothing can be decided comes again.
func (d Drainer) Drain(ctx context.Context) error {
	var found int64
	silent := map[string]error{}
	defer func() {
		if found > 0 {
			d.Gauges.Write(gauge.Subject{}, gauge.Figures{gauge.DeadLetters: gauge.Whole(found)})
		}
	}()
	for range rounds {
		letters, err := d.Letters.Receive(ctx)
		if err != nil || len(letters) == 0 {
			return err
		}
		found += int64(len(letters))
		var decided []queue.Letter
		var wrong error
		for _, letter := range letters {
			if err := d.decide(ctx, letter, silent); err != nil {
				wrong = err
				continue
			}
			decided = append(decided, letter)
		}
		if err := d.Letters.Delete(ctx, decided); err != nil {
			return err
		}
		if wrong != nil {
			return wrong
		}
	}
	return nil
}

// decide has a ledger say what becomes of a letter. Silent are other databases that gave no answer, with why: their letters come again.
func (d Drainer) decide(ctx context.Context, letter queue.Letter, silent map[string]error) error {
	message := letter.Message
	if message == nil {
		slog.ErrorContext(ctx, "dead letter that is no chunk's; deleted", "message", letter.ID)
		return nil
	}
	newest, err := d.newest(ctx, *message)
	if err != nil {
		return err
	}
	if message.Database == d.Database {
		return bury(ctx, d.Ledger, letter, newest)
	}
	if silent[message.Database] != nil {
		return silent[message.Database]
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	graves, err := d.Others(ctx, message.Database)
	if err == nil {
		err = bury(ctx, graves, letter, newest)
	}
	silent[message.Database] = err
	return err
}

func bury(ctx context.Context, graves Graves, letter queue.Letter, newest int64) error {
	message := letter.Message
	fate, err := graves.Bury(ctx, *message, letter.SentAt, newest, dead)
	if err == nil {
		slog.WarnContext(ctx, "dead letter", "run", message.Run, "chunk", message.Chunk, "send", message.Send, "fate", fate)
	}
	return err
}

// newest is the number of the chunk's newest send that the records know of: the ledger does not know those of a chunk that
// nobody has claimed.
func (d Drainer) newest(ctx context.Context, message chunk.Message) (int64, error) {
	found, err := d.Records.Chunks(ctx, message.Run, []int64{message.Chunk})
	if err != nil {
		return 0, fmt.Errorf("read the sends of chunk %d of run %s: %w", message.Chunk, message.Run, failure.As(failure.Transient, err))
	}
	for _, known := range found {
		return known.Send, nil
	}
	return 0, nil
}
