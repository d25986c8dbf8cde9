package chunk

import "testing"

func TestTheTableIsWhole(t *testing.T) {
	legal := map[State][]State{
		Pending:    {Processing, Completed},
		Processing: {Pending, Processing, Completed, Failed, RolledBack},
		Completed:  {Pending}, Failed: {Pending}, RolledBack: nil,
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
