package run

import "testing"

// TestTheTableIsWhole walks every state by every other: what may follow is written down once more here, by hand.
func TestTheTableIsWhole(t *testing.T) {
	legal := map[State][]State{
		Planning:    {Running, Pausing, Cancelling, Failed},
		Running:     {Pausing, Cancelling, Completed},
		RollingBack: {RolledBack, Completed, Cancelled, Failed, Pausing, Cancelling},
		Verifying:   {Completed, Pausing, Cancelling},
		Pausing:     {Paused, Running, RollingBack, Verifying, Cancelling},
		Paused:      {Running, RollingBack, Verifying, Cancelling},
		Cancelling:  {Failed, Cancelled, Completed},
		Completed:   {Running, RollingBack, Verifying},
		Failed:      {Running, RollingBack},
		Cancelled:   {Running, RollingBack},
		RolledBack:  nil,
	}
	for _, from := range States() {
		for _, to := range States() {
			want := false
			for _, state := range legal[from] {
				want = want || state == to
			}
			if cause, ok := Transitions.Cause(from, to); ok != want || ok && cause == "" {
				t.Errorf("%s -> %s: legal %v (cause %q), want %v", from, to, ok, cause, want)
			}
		}
	}
}

func TestAnUnknownStateHasNotEnded(t *testing.T) {
	if State("").Ended() {
		t.Error("an unknown state counts as ended")
	}
}
