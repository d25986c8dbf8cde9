package keyset_test

import (
	"strings"
	"testing"

	"backfill/internal/keyset"
)

func TestARangeAsText(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]keyset.Range{
		"(100, 200]":                {Lo: keyset.Point{"100"}, Hi: keyset.Point{"200"}},
		"[first, 200]":              {Hi: keyset.Point{"200"}},
		"((eu, 7), (eu, 9)]":        {Lo: keyset.Point{"eu", "7"}, Hi: keyset.Point{"eu", "9"}},
		`("", "a, b"]`:              {Lo: keyset.Point{""}, Hi: keyset.Point{"a, b"}},
		`("a\n", 2024-01-01 00+00]`: {Lo: keyset.Point{"a\n"}, Hi: keyset.Point{"2024-01-01 00+00"}},
		"(" + strings.Repeat("ä", 40) + "…, z]": {Lo: keyset.Point{strings.Repeat("ä", 41)}, Hi: keyset.Point{"z"}},
	} {
		if got := r.Text(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
