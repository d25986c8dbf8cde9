package operator

import (
	"os"
	"strings"
	"testing"
)

// TestTheLongestStatusFitsOnAScreen of 24 lines, with more trouble than anybody wants to read of.
func TestTheLongestStatusFitsOnAScreen(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/status-signals-many.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, screen, _ := strings.Cut(string(text), "\n")
	screen, _, _ = strings.Cut(screen, "--- stderr")
	if lines := strings.Count(screen, "\n"); lines > 24 || !strings.Contains(screen, " more are near it, or missing") {
		t.Errorf("%d lines:\n%s", lines, screen)
	}
}
