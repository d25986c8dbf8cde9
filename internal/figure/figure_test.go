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

func TestBytes(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 1500: "1.5 kB", 20e6: "20 MB", 1572864: "1.6 MB", 999.6e6: "1 GB", 123.4e9: "123 GB", 5e15: "5000 TB"} {
		if got := figure.Bytes(bytes); got != want {
			t.Errorf("%.0f: %s, want %s", bytes, got, want)
		}
	}
}
