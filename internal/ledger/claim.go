package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/postgres"
)

// Verdict is the ledger's answer to a claim.
type Verdict string

// The verdicts. Only Claimed lets the caller work; after each of the others the delivery has had its effect.
const (
	Claimed   Verdict = "claimed"
	Leased    Verdict = "leased"    // somebody else holds it: a duplicate delivery
	Spent     Verdict = "spent"     // an old message: a later send exists
	Early     Verdict = "early"     // given back with a pause that is not over
	Done      Verdict = "completed" // nothing left to do
	Broken    Verdict = "failed"    // stopped with a reason
	Closed    Verdict = "closed"    // the run wants no work, or is unknown
	Unwatched Verdict = "unwatched" // the run's heartbeat is stale
	Undone    Verdict = "rolled_back"
	Held      Verdict = "held"    // not of the canary of its run, which stands still
	Full      Verdict = "full"    // no slot is free: it was given back at once, with a reason
	Foreign   Verdict = "foreign" // the message has other boundaries than the ledger: its records are of another time
)

// Claim is a chunk as the ledger knows it after the verdict. Fence, Seq and Position are what the next batch needs.
type Claim struct {
	Verdict  Verdict
	Message  chunk.Message
	Owner    string
	Fence    int64
	Seq      int64
	Position keyset.Point // last key that is done; nil: start at the chunk's Lo
	Scanned  int64        // keys looked at so far
	Affected int64        // rows written so far
	Reason   string
	Back     bool  // the chunk is being rolled back
	Verifies bool  // it was done, and is being looked at once more
	Mends    bool  // what it finds to deviate is written again
	Restored int64 // rows that this claim has taken back, conflicts among them
	Passes   int   // over a window of the chunk; 1: it is not striped; 0: not decided yet
	Striped  int64 // rows written in the striped chunks shortly before this one
	Hot      int64 // of them those that left the indexes alone
	Due      bool  // rejected rows of it are to be tried again
	Canary   bool  // it is of a canary, so what it takes is measured
	Lease    time.Duration
	Stale    time.Duration
	Steering
}

// Steering is what the limits of a run say to a worker; each batch tells it anew.
type Steering struct {
	Limited bool   // what is worked on has to be reserved
	Surplus string // why the chunk has to be given back: others have the slots; "": it goes on
	Budget  *int64 // the error budget that a person has set; nil: the definition's
}

// Claim takes the message's chunk for the owner, if nobody else holds it. Claiming again as the same owner gives a
// new fence and the position that is true now: that is how the outcome of a lost answer is found.
func (l *Ledger) Claim(ctx context.Context, message chunk.Message, owner string) (Claim, error) {
	claim := Claim{Message: message, Owner: owner, Lease: l.terms.Lease, Stale: l.terms.Heartbeat}
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return claim, err
	}
	err = conn.QueryRow(ctx,
		`SELECT verdict, coalesce(fence, 0), coalesce(seq, 0), "position", coalesce(scanned, 0), coalesce(affected, 0),
		coalesce(reason, ''), coalesce(direction = 'back', false), coalesce(direction = 'verify', false), coalesce(mends, false), coalesce(passes, 0), coalesce(striped, 0), coalesce(striped_hot, 0), coalesce(due, false),
		coalesce((SELECT canary > 0 FROM backfill.runs WHERE run = $1), false), s.limited, s.surplus, s.budget FROM backfill.claim($1, $2, $3, $4, $5, $6, $7, $8, verifies => true), backfill.steer($1, $2) s`,
		message.Run, message.Chunk, message.Lo, message.Hi, message.Send, owner, l.terms.Lease, l.terms.Heartbeat,
	).Scan(&claim.Verdict, &claim.Fence, &claim.Seq, &claim.Position, &claim.Scanned, &claim.Affected, &claim.Reason, &claim.Back, &claim.Verifies, &claim.Mends,
		&claim.Passes, &claim.Striped, &claim.Hot, &claim.Due, &claim.Canary, &claim.Limited, &claim.Surplus, &claim.Budget)
	if err != nil {
		return claim, fmt.Errorf("claim chunk %d of run %s: %w", message.Chunk, message.Run, postgres.Classify(err))
	}
	return claim, nil
}

// Tries tells that rows of a canary are looked at: nothing is written, and none of them is left out.
func (c Claim) Tries() bool { return c.Verifies && c.Canary }

// From is where the next batch begins.
func (c Claim) From() keyset.Point {
	if c.Position != nil {
		return c.Position
	}
	return c.Message.Lo
}

// Release gives the chunk back in order: PENDING, not to be claimed before the pause is over. The send that brought
// it is spent. False: the fence is stale, and nothing happened. Who leaves it on purpose (a pause, a limit, a deadline) leaves no owner, so that the
// next claim is no retry; who backs off has met an error.
func (l *Ledger) Release(ctx context.Context, claim Claim, pause time.Duration, reason string) (bool, error) {
	return l.leave(ctx, claim, "release", `UPDATE backfill.ledger SET state = 'PENDING', lease_until = NULL,
		not_before = clock_timestamp() + $4::interval, reason = $5, owner = CASE WHEN $6 THEN '' ELSE owner END, updated_at = clock_timestamp()
		WHERE run = $1 AND chunk = $2 AND fence = $3 AND state = 'PROCESSING'`, pause, reason, !strings.HasPrefix(reason, BackingOff))
}

// BacksOff notes that the holder of the chunk waits for so long, and why, and renews its lease: who waits for a user's lock is alive. It waits for
// nobody: what it tells is soon over.
func (l *Ledger) BacksOff(ctx context.Context, claim Claim, wait time.Duration, reason string) (bool, error) {
	return l.leave(ctx, claim, "note the wait of", `UPDATE backfill.ledger SET not_before = clock_timestamp() + $4::interval, reason = $5,
			lease_until = greatest(lease_until, clock_timestamp() + $4::interval + $6::interval)
		FROM (SELECT FROM backfill.ledger WHERE run = $1 AND chunk = $2 FOR UPDATE SKIP LOCKED) AS free
		WHERE run = $1 AND chunk = $2 AND fence = $3 AND state = 'PROCESSING'`, wait, reason, l.terms.Lease)
}

// Fail stops the chunk with a reason. False: the fence is stale, and nothing happened.
func (l *Ledger) Fail(ctx context.Context, claim Claim, reason string) (bool, error) {
	return l.leave(ctx, claim, "fail", `UPDATE backfill.ledger SET state = 'FAILED', lease_until = NULL,
		reason = $4, updated_at = clock_timestamp()
		WHERE run = $1 AND chunk = $2 AND fence = $3 AND state = 'PROCESSING'`, reason)
}

func (l *Ledger) leave(ctx context.Context, claim Claim, verb, sql string, args ...any) (bool, error) {
	conn, err := l.database.Conn(ctx)
	if err != nil {
		return false, err
	}
	all := append([]any{claim.Message.Run, claim.Message.Chunk, claim.Fence}, args...)
	tag, err := conn.Exec(ctx, sql, all...)
	if err != nil {
		return false, fmt.Errorf("%s chunk %d of run %s: %w", verb, claim.Message.Chunk, claim.Message.Run, postgres.Classify(err))
	}
	return tag.RowsAffected() == 1, nil
}
