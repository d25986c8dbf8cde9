package signal_test

import (
	"testing"

	"backfill/internal/signal"
)

func TestLimitsThatAreSetGoOverTheOthers(t *testing.T) {
	t.Parallel()
	defined := signal.Limits{signal.LockWaiters: 4, signal.IOWaits: signal.Off}
	got := defined.With(signal.Limits{signal.IOWaits: 7, signal.CommitTime: signal.Off})
	if text := got.String(); text != "lock_waiters 4, io_waits 7, commit_milliseconds off" {
		t.Error(text)
	}
	if text := defined.With(nil).String(); text != "lock_waiters 4, io_waits off" {
		t.Error(text)
	}
}

func TestParseLimit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"0": 0, "4": 4, "2.5": 2.5, "1_000": 1000, "1e3": 1000, "off": signal.Off, "false": signal.Off} {
		if got, ok := signal.ParseLimit(text); !ok || got != want {
			t.Errorf("%q: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-1", "default", "nan", "inf", "0x10", "1e16", "4 waiters"} {
		if got, ok := signal.ParseLimit(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}
