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
	never := func(string) bool { return false }
	for to, want := range map[string][]string{"open": {"open", "shut"}, "shut": {"open", "shut"}, "broken": {"open", "shut"}, "ajar": nil} {
		if diff := cmp.Diff(want, door.Before(to, never)); diff != "" {
			t.Errorf("%s: %s", to, diff)
		}
	}
	shut := func(state string) bool { return state == "shut" }
	if diff := cmp.Diff([]string{"open"}, door.Before("broken", shut)); diff != "" {
		t.Error("a step out of a state that has ended: " + diff)
	}
}
