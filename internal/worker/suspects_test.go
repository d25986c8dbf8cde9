package worker

import (
	"errors"
	"testing"

	"backfill/internal/batch"
	"backfill/internal/failure"

	"pgregory.net/rapid"
)

// TestSuspectsAreHalved: among so many keys one fails, until it is mended. It is met alone after about two batches for
// each halving, and when it is gone batches grow again.
func TestSuspectsAreHalved(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const usual = 10_000
		ahead := rapid.Int64Range(1, usual).Draw(t, "keys ahead")
		culprit := rapid.Int64Range(1, ahead).Draw(t, "culprit")
		var s suspects
		for batches := 1; ; batches++ {
			keys := min(s.bound(usual), ahead)
			if keys < culprit {
				s.clear(keys)
				ahead, culprit = ahead-keys, culprit-keys
				continue
			}
			if !s.narrow(failure.Data, &batch.Failed{Keys: keys}) {
				if keys != 1 || batches > 28 {
					t.Fatalf("%d keys left after %d batches", keys, batches)
				}
				break
			}
		}
		for range 3 { // what half of is one
			s.clear(1)
		}
		if s.bound(usual) != usual {
			t.Fatalf("%d suspects when the row is mended", s)
		}
	})
}

func TestWhatNoRowIsTheReasonOf(t *testing.T) {
	t.Parallel()
	var s suspects
	if s.narrow(failure.Permanent, errors.New("no such column")) || s.narrow(failure.LeaseLost, &batch.Failed{Keys: 5}) || s != 0 {
		t.Errorf("%d suspects", s)
	}
}
