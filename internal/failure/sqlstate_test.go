package failure_test

import (
	"testing"

	"backfill/internal/failure"
)

// TestWhatTheTableDoesNotKnowIsPermanent: a person is shown it, and nothing is tried for ever. A longer entry wins.
func TestWhatTheTableDoesNotKnowIsPermanent(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]failure.Class{
		"": failure.Permanent, "2": failure.Permanent, "ZZZZZ": failure.Permanent, "P0001": failure.Permanent, "XX000": failure.Permanent,
		"0A000": failure.Permanent, "25000": failure.Permanent, "42501": failure.Permanent, "54000": failure.Permanent, "55000": failure.Permanent,
		"57000": failure.Permanent, "BF999": failure.Permanent, "22ZZZ": failure.Data, "40ZZZ": failure.Transient, "40003": failure.Unknown,
		"57P01": failure.Unknown, "57P04": failure.Permanent, "42p05": failure.Unknown,
	} {
		if got := failure.FromSQLState(code); got != want {
			t.Errorf("%q is %s, want %s", code, got, want)
		}
	}
}
