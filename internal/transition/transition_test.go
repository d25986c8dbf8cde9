package transition_test

import (
	"testing"

	"backfill/internal/transition"

	"github.com/google/go-cmp/cmp"
)

var door = transition.Table[string]{
	"open":   {"shut": "a push", "broken": "a storm"},
	"shut":   {"open": "a pull", "shut": "a second push"},
	"broken": {},
}

func TestWhatIsNotInTheTableIsNotLegal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to, cause string
		legal           bool
	}{
		{"open", "shut", "a push", true},
		{"shut", "shut", "a second push", true},
		{"shut", "broken", "", false},
		{"broken", "open", "", false},
		{"ajar", "open", "", false},
	} {
		if cause, legal := door.Cause(c.from, c.to); cause != c.cause || legal != c.legal {
			t.Errorf("%s -> %s: %q, %v", c.from, c.to, cause, legal)
		}
	}
}

func TestSourcesAreTheTableReadBackwards(t *testing.T) {
	t.Parallel()
	for to, want := range map[string][]string{"open": {"shut"}, "shut": {"open", "shut"}, "broken": {"open"}, "ajar": nil} {
		if diff := cmp.Diff(want, door.Sources(to)); diff != "" {
			t.Errorf("%s: %s", to, diff)
		}
	}
}

func TestBeforeIsEveryStateOnTheWay(t *testing.T) {
	t.Parallel()
	for to, want := range map[string][]string{"open": {"open", "shut"}, "shut": {"open", "shut"}, "broken": {"open", "shut"}, "ajar": nil} {
		if diff := cmp.Diff(want, door.Before(to)); diff != "" {
			t.Errorf("%s: %s", to, diff)
		}
	}
}

func TestAnUnknownStateIsNotTheLast(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"open": false, "shut": false, "broken": true, "ajar": false} {
		if got := door.Last(state); got != want {
			t.Errorf("%s is last: %v", state, got)
		}
	}
}
