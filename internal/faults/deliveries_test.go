package faults

import (
	"strings"
	"testing"
	"time"

	"backfill/internal/pgtest"
)

// expectNothingLost demands that no message was taken for lost: that hides for half a minute what should not have happened.
func (s *stack) expectNothingLost(t *testing.T) {
	t.Helper()
	if strings.Contains(s.log.String(), "messages were lost") {
		t.Error("the governor took a message for lost and sent it again")
	}
}

// TestADeliveryWithoutAClaimComesAgain: nobody knows of it but the queue.
func TestADeliveryWithoutAClaimComesAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 1, visibility: time.Second})
	s.falls(t, counters(t, db), before(worker, claim, 1))
	s.expectNothingLost(t)
}

// keptBack is what a worker keeps of its function's timeout for an orderly end: the margins of invocation and worker.
const keptBack = 7 * time.Second

// TestADeliveryWhoseClaimsAreLostComesAgain: the worker tries again until its deadline is near, and then says that the
// message is not consumed. It has 2 s, which is enough for 6 claims.
func TestADeliveryWhoseClaimsAreLostComesAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 1, visibility: time.Second, timeout: keptBack + 2*time.Second})
	s.falls(t, counters(t, db), trap{function: worker, sql: claim, kind: pgtest.Sync, times: 8, skip: 1, verdict: pgtest.Cut})
	s.log.Await(t, patience, worker, "message not consumed")
	s.expectNothingLost(t)
}
