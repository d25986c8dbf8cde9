package operator

import (
	"fmt"
	"io"

	"backfill/internal/run"
)

// signals shows how the database fares, each signal with its limit.
func (s *session) signals(w io.Writer, status run.Status) {
	label := "signals"
	for _, reading := range status.Throttle.Signals {
		fmt.Fprintf(w, "%-9s %s\n", label, printable(reading.String()))
		label = ""
	}
}
