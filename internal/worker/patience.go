package worker

import (
	"context"
	"time"

	"backfill/internal/deadline"

	"github.com/cenkalti/backoff/v5"
)

const (
	// shortest is about the time in which a user's transaction ends.
	shortest = 100 * time.Millisecond
	// longest bounds a wait inside of an invocation; what takes longer is paid by a new one, not by idle Lambda time.
	longest = 5 * time.Second
	// soon is the pause of a chunk whose slot others have: it is sent again when there is room.
	soon = 2 * time.Second
	// tries in a row without a committed batch: about 11 s of waiting, then the chunk is given back.
	tries = 8
	// claims in a row without an answer: about 50 s of waiting. There is nothing to give back yet, and the queue hides a
	// message whose delivery failed for its visibility timeout, which is half an hour.
	claims = 16
)

// patience counts failures in a row and waits between them: exponential, with jitter.
type patience struct {
	waits  *backoff.ExponentialBackOff
	tries  int
	failed int
}

func newPatience(tries int) *patience {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval, waits.Multiplier = shortest, longest, 2
	waits.Reset()
	return &patience{waits: waits, tries: tries}
}

// renew forgets the failures: a batch was committed.
func (p *patience) renew() {
	if p.failed > 0 {
		p.failed = 0
		p.waits.Reset()
	}
}

// next is how long to rest before the next try. False: enough tries, or not enough time before the deadline less the margin.
func (p *patience) next(ctx context.Context, margin time.Duration) (rest time.Duration, worthIt bool) {
	p.failed++
	rest = p.waits.NextBackOff()
	return rest, p.failed < p.tries && deadline.Remaining(ctx) >= rest+margin
}

// wait rests before the next try. False: as next, or the time was over.
func (p *patience) wait(ctx context.Context, margin time.Duration) bool {
	rest, worthIt := p.next(ctx, margin)
	return worthIt && deadline.Rest(ctx, rest)
}
