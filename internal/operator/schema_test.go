package operator

import (
	"testing"

	"backfill/internal/definition"
)

// TestSchemaIsPrinted as it is in the repository, without a stack, in both formats.
func TestSchemaIsPrinted(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{{"schema"}, {"schema", "-o", "json"}} {
		b := setup(t)
		if code := b.run(t, words...); code != exitDone || b.out.String() != string(definition.Schema()) || b.at != (Place{}) {
			t.Errorf("%v: exit code %d: %s%s", words, code, &b.out, &b.err)
		}
	}
}
