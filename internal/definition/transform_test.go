package definition_test

import (
	"testing"

	"backfill/internal/change"
	"backfill/internal/definition"

	"github.com/google/go-cmp/cmp"
)

func TestATransform(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]definition.Transform{
		"transform:\n  function: email-hash\n  reads: [email, '\"Salt \"\"1\"\"\"']\n  writes: [email_hash]\n": {Function: "email-hash", Reads: []string{"email", `Salt "1"`}, Writes: []string{"email_hash"}},
		"transform: {function: f, reads: email, writes: hash}\nwhere: email IS NOT NULL\n":                     {Function: "f", Reads: []string{"email"}, Writes: []string{"hash"}},
		"transform: {function: f, writes: [a, b]}\nundo: off\n":                                                {Function: "f", Writes: []string{"a", "b"}},
	} {
		d, problems := definition.Parse([]byte("name: a\ntable: t\n" + source))
		if problems != nil {
			t.Fatal(problems)
		}
		if diff := cmp.Diff(want, d.Transform); diff != "" || d.Kind != change.Transform || !d.Has("transform.writes") || d.Has("transform.wrote") {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}
