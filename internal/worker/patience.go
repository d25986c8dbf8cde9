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
	// tries in a row without a committed batch: about 15 s of waiting, then the chunk is given back.
	tries = 8
)

// patience counts failures in a row and waits between them: exponential, with jitter.
type patience struct {
	waits  *backoff.ExponentialBackOff
	failed int
}

func newPatience() *patience {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = shortest, longest
	waits.Reset()
	return &patience{waits: waits}
}

// renew forgets the failures: a batch was committed.
func (p *patience) renew() {
	if p.failed > 0 {
		p.failed = 0
		p.waits.Reset()
	}
}

// wait rests before the next try. False: enough tries, or not enough time before the deadline less the margin.
func (p *patience) wait(ctx context.Context, margin time.Duration) bool {
	p.failed++
	rest := p.waits.NextBackOff()
	return p.failed < tries && deadline.Remaining(ctx) >= rest+margin && deadline.Rest(ctx, rest)
}
