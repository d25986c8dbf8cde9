package deadline_test

import (
	"context"
	"testing"
	"time"

	"backfill/internal/deadline"
)

func TestRemainingIsBoundedByTheDeadlineOrByAnHour(t *testing.T) {
	short, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if left := deadline.Remaining(short); left > time.Minute || left <= 0 {
		t.Errorf("%s left of a minute", left)
	}
	if left := deadline.Remaining(t.Context()); left != time.Hour {
		t.Errorf("%s left without a deadline", left)
	}
}

func TestARestEndsWithItsContext(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if deadline.Rest(ended, time.Hour) {
		t.Error("a rest of an hour was slept through after the context had ended")
	}
	if !deadline.Rest(t.Context(), time.Nanosecond) {
		t.Error("a rest that was over says that it was not")
	}
}
