package figure_test

import (
	"testing"

	"backfill/internal/figure"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1_000_007: "1,000,007", 10_000_000_000: "10,000,000,000"} {
		if got := figure.Count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 retries", 1: "1 retry", 2: "2 retries", 12_345: "12,345 retries"} {
		if got := figure.Plural(n, "retry", "retries"); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
