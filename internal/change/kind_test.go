package change_test

import (
	"testing"

	"backfill/internal/change"

	"github.com/google/go-cmp/cmp"
)

// TestKinds: what is asked of each kind. One that this build does not know is known by nothing.
func TestKinds(t *testing.T) {
	t.Parallel()
	type answers struct {
		Deed                              string
		Known, Plain, Displaces, Unjudged bool
	}
	for kind, want := range map[change.Kind]answers{
		change.Set:       {"changed", true, false, false, false},
		change.Joined:    {"changed", true, false, false, true},
		change.Transform: {"changed", true, false, false, true},
		change.Delete:    {"deleted", true, true, true, true},
		change.Archived:  {"deleted", true, true, true, true},
		change.Copy:      {"copied", true, true, true, true},
		change.Move:      {"moved", true, true, true, true},
		"merge":          {"changed", false, false, false, true},
		"":               {"changed", false, false, false, true},
	} {
		if diff := cmp.Diff(want, answers{kind.Deed(), kind.Known(), kind.Plain() != "", kind.Displaces(), kind.Unjudged() != ""}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
