package statement_test

import (
	"strings"
	"testing"

	"backfill/internal/keyset"
	"backfill/internal/statement"
)

func TestWithin(t *testing.T) {
	t.Parallel()
	note := []keyset.Column{{Name: "note", Type: "text"}}
	long := strings.Repeat("x", 100)
	for want, got := range map[string]string{
		`"id" <= 20`:                          statement.Within(simple.Key, keyset.Range{Hi: keyset.Point{"20"}}),
		`"id" > -10 AND "id" <= 20`:           statement.Within(simple.Key, keyset.Range{Lo: keyset.Point{"-10"}, Hi: keyset.Point{"20"}}),
		`"note" > '' AND "note" <= 'o''hara'`: statement.Within(note, keyset.Range{Lo: keyset.Point{""}, Hi: keyset.Point{"o'hara"}}),
		`("tenant Id", "created_at", "ID") = ('` + tenant + `', '2024-01-01 00:00:00+00', 5)`: statement.At(composite.Key, keyset.Point{tenant, "2024-01-01 00:00:00+00", "5"}),
		`"note" in ("a\n", b]`: statement.Within(note, keyset.Range{Lo: keyset.Point{"a\n"}, Hi: keyset.Point{"b"}}),
		`"note" in (` + long[:40] + `…, ` + long[:40] + `…]`: statement.Within(note, keyset.Range{Lo: keyset.Point{long}, Hi: keyset.Point{long}}),
		`"note" = "\u202ea"`: statement.At(note, keyset.Point{"\u202ea"}),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWithinIsShort(t *testing.T) {
	t.Parallel()
	var key []keyset.Column
	var point keyset.Point
	for range 32 {
		key, point = append(key, keyset.Column{Name: strings.Repeat("n", 63), Type: "text"}), append(point, strings.Repeat("ä", 500))
	}
	for _, got := range []string{statement.At(key, point), statement.Within(key, keyset.Range{Lo: point, Hi: point})} {
		if length := len([]rune(got)); length != 201 {
			t.Errorf("%d characters: %s", length, got)
		}
	}
}
