// Package worker works on one chunk: claims it, applies it batch by batch, and leaves it in order.
//
// It owns the loop over batches, the retries, the search for a row that fails, and the ways to leave a chunk. It leaves
// SQL to ledger and batch, and DynamoDB to its Checkpoints. Invariants: no batch without a claim; after an answer that
// never came it claims again and never just repeats; each way out but a crash leaves the chunk COMPLETED, PENDING or
// FAILED in the ledger, and consumes the message. It never sends to a queue.
package worker

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/records"

	"github.com/jackc/pgx/v5"
)

// Session is the connection to the target database.
type Session interface {
	Conn(ctx context.Context) (*pgx.Conn, error)
	Drop()
}

// Ledger is what a worker needs of the ledger.
type Ledger interface {
	Renew(ctx context.Context) error
	Run(ctx context.Context, id string) (ledger.Run, error)
	Claim(ctx context.Context, message chunk.Message, owner string) (ledger.Claim, error)
	Decide(ctx context.Context, claim ledger.Claim, passes int, reason string) (bool, error)
	BacksOff(ctx context.Context, claim ledger.Claim, wait time.Duration, reason string) (bool, error)
	Hold(ctx context.Context, claim ledger.Claim) (bool, error)
	Release(ctx context.Context, claim ledger.Claim, pause time.Duration, reason string) (bool, error)
	Fail(ctx context.Context, claim ledger.Claim, reason string) (bool, error)
	Meter(ctx context.Context) (ledger.Meter, error)
	Stayed(ctx context.Context, claim ledger.Claim, from ledger.Meter, keys, rows int64) error
	Reserve(ctx context.Context, claim ledger.Claim, rows int64) (ledger.Reservation, error)
}

// Checkpoints keeps the copy of a chunk's state that is read without the database.
type Checkpoints interface {
	Checkpoint(ctx context.Context, checkpoint records.Checkpoint) error
}

// Worker works on one chunk at a time.
type Worker struct {
	session     Session
	reads       Session // of a transform, for what it reads ahead; nil: it has none
	ledger      Ledger
	checkpoints Checkpoints
	timeout     time.Duration
	renewed     bool                     // the schema is of this version, or a later one
	changes     map[string]change.Change // by run; a run's change never changes
	names       map[string]string        // of the runs' definitions
	gauges      *gauge.Writer
}

// New makes a worker. A statement may take a third of the lease, so that a batch of several ends within it.
func New(session Session, entries Ledger, checkpoints Checkpoints, lease time.Duration) *Worker {
	return &Worker{
		session: session, ledger: entries, checkpoints: checkpoints,
		timeout: lease / 3, changes: map[string]change.Change{}, names: map[string]string{},
	}
}

// ReadAhead gives the worker a second connection, which a transform uses to read the next rows while a batch is written.
func (w *Worker) ReadAhead(reads Session) *Worker {
	w.reads = reads
	return w
}

// Tell has it write the figures of each delivery.
func (w *Worker) Tell(gauges *gauge.Writer) *Worker {
	w.gauges = gauges
	return w
}

// Work has the whole effect of one delivery. An error means that the chunk could not even be claimed: the message
// has to come again. Everything else is in the ledger, and the message is consumed.
func (w *Worker) Work(ctx context.Context, message chunk.Message) error {
	log := slog.With("run", message.Run, "chunk", message.Chunk, "send", message.Send)
	begun := time.Now()
	if err := w.renew(ctx); err != nil {
		return err
	}
	c, err := w.change(ctx, message.Run)
	if err != nil {
		return err
	}
	claim, err := w.claim(ctx, message, rand.Text())
	if err != nil {
		return err
	}
	if claim.Verdict != ledger.Claimed {
		log.InfoContext(ctx, "delivery without work", "verdict", claim.Verdict, "reason", claim.Reason)
		w.gaugeRefused(claim)
		w.settle(ctx, claim)
		return nil
	}
	w.record(ctx, claim, chunk.Processing, "")
	claimed := claim
	stayed := w.measure(ctx, claimed)
	exit := w.walk(ctx, c, &claim)
	state := w.leave(ctx, claim, exit)
	stayed(claim) // the chunk is free by then: who dies at this leaves no lease behind
	w.tell(ctx, claim, state, exit.reason)
	log.InfoContext(ctx, "chunk left", "state", state, "reason", exit.reason, "fence", claim.Fence, "batches", claim.Seq-claimed.Seq,
		"scanned", claim.Scanned-claimed.Scanned, "affected", claim.Affected-claimed.Affected, "restored", claim.Restored,
		"ms", time.Since(begun).Milliseconds(), "batch_ms", exit.worked.Milliseconds())
	w.gaugeLeft(claimed, claim, state, exit)
	return nil
}

// settle repeats the checkpoint of a chunk that is done: its worker may have died between commit and checkpoint.
func (w *Worker) settle(ctx context.Context, claim ledger.Claim) {
	switch claim.Verdict {
	case ledger.Done:
		w.record(ctx, claim, chunk.Completed, "")
	case ledger.Undone:
		w.record(ctx, claim, chunk.RolledBack, "")
	case ledger.Broken:
		w.record(ctx, claim, chunk.Failed, claim.Reason)
	case ledger.Full:
		w.record(ctx, claim, chunk.Pending, claim.Reason)
	case ledger.Leased, ledger.Spent, ledger.Early, ledger.Held, ledger.Closed, ledger.Unwatched, ledger.Foreign, ledger.Claimed:
	}
}

// record writes the copy. A copy that is late is made again from the ledger when the run completes.
func (w *Worker) record(ctx context.Context, claim ledger.Claim, state chunk.State, reason string) {
	err := w.checkpoints.Checkpoint(ctx, records.Checkpoint{
		Run: claim.Message.Run, Chunk: claim.Message.Chunk, State: state, Fence: claim.Fence,
		Scanned: claim.Scanned, Affected: claim.Affected, Reason: reason, Range: claim.Message.Range(),
	})
	if err != nil {
		slog.WarnContext(ctx, "checkpoint not written", "run", claim.Message.Run, "chunk", claim.Message.Chunk,
			"state", state, "class", failure.Of(err), "error", failure.Safe(err))
	}
}

// renew brings the schema to this worker's version, once per environment: after a deployment a message may come before any beat.
// Not only a claim fails on an older schema: a batch that does has its chunk FAILED.
func (w *Worker) renew(ctx context.Context) error {
	if w.renewed {
		return nil
	}
	err := w.persist(ctx, func() error { return w.ledger.Renew(ctx) })
	w.renewed = err == nil
	return err
}

// change is what a run does. It never changes, so it is read once per environment.
func (w *Worker) change(ctx context.Context, id string) (change.Change, error) {
	if known, ok := w.changes[id]; ok {
		return known, nil
	}
	var stored ledger.Run
	err := w.persist(ctx, func() (err error) {
		stored, err = w.ledger.Run(ctx, id)
		return err
	})
	if err != nil {
		return change.Change{}, fmt.Errorf("load run %s: %w", id, err)
	}
	w.changes[id], w.names[id] = stored.Change, stored.Backfill
	return stored.Change, nil
}

// claim asks the ledger. The same owner may ask again after an answer that never came.
func (w *Worker) claim(ctx context.Context, message chunk.Message, owner string) (claim ledger.Claim, err error) {
	err = w.persist(ctx, func() error {
		claim, err = w.ledger.Claim(ctx, message, owner)
		return err
	})
	return claim, err
}

// persist tries again while the database cannot be reached or does not answer.
func (w *Worker) persist(ctx context.Context, try func() error) error {
	patience := newPatience(claims)
	for {
		err := try()
		class := failure.Of(err)
		if class != failure.Transient && class != failure.Unknown || !patience.wait(ctx, margin) {
			return err
		}
		if class == failure.Unknown {
			w.session.Drop()
		}
	}
}
