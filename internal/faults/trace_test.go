package faults

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/faults/timeline"
	"backfill/internal/figure"
	"backfill/internal/pgtest"
)

var picture = flag.String("picture", "", "file to draw the trace of a run to, as SVG")

// shortest is what has a row of its own in the picture, ms.
const shortest = 3

// TestATraceOfARun: the functions' own programs send what X-Ray's console shows, from the planner by the message to the worker's last commit. Lambda
// begins the trace of each invocation; here a test does.
func TestATraceOfARun(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	s := deploy(t, db, plan{workers: 1})
	daemon, execution := s.traced(t), traceID()
	for _, d := range s.doors {
		d.Trace = func() string { return "Root=" + traceID() + ";Parent=53995c3f42cd8ad8;Sampled=1" }
		if d.function == planner {
			d.Trace = func() string { return "Root=" + execution + ";Parent=53995c3f42cd8ad8;Sampled=1" }
		}
	}
	const rows = 6_000
	a := s.start(t, increment{rows: rows, chunkRows: rows}.makeTable(t, db))
	a.completes(t)
	planned := daemon.await(t, "plan", "SQS", func(s timeline.Segment) bool { return s.TraceID == execution })
	applied := daemon.await(t, "apply", "backfill.advance", func(s timeline.Segment) bool { return s.Annotations["run"] == a.id })
	if applied.Annotations["sent_in"] != execution || applied.Annotations["chunk"] != 1.0 {
		t.Errorf("the worker's trace has %v, and the message was sent in %s", applied.Annotations, execution)
	}
	if first, last := planned.Subsegments[0], applied.Subsegments[len(applied.Subsegments)-1]; first.Start >= last.End {
		t.Errorf("the worker had ended at %f, the planner began at %f", last.End, first.Start)
	}
	if *picture != "" {
		title := "A chunk of " + figure.Count(rows) + " rows, from the planner by the queue to its last commit"
		must(t, os.WriteFile(*picture, timeline.Draw(title, shortest, []timeline.Part{{Function: planner, Segment: planned}, {Function: worker, Segment: applied}}), 0o644))
	}
}

// daemon has what the functions sent to X-Ray's.
type daemon struct{ sent chan timeline.Segment }

// traced makes a daemon and has the functions know of it. An endpoint for all of AWS would mean that there is none.
func (s *stack) traced(t *testing.T) daemon {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	for _, d := range s.doors {
		d.Variables["AWS_ENDPOINT_URL_DYNAMODB"], d.Variables["AWS_ENDPOINT_URL_SQS"] = d.Variables["AWS_ENDPOINT_URL"], d.Variables["AWS_ENDPOINT_URL"]
		d.Variables["AWS_ENDPOINT_URL"], d.Variables["AWS_XRAY_DAEMON_ADDRESS"] = "", socket.LocalAddr().String()
	}
	d := daemon{sent: make(chan timeline.Segment, 1_000)}
	go func() {
		packet := make([]byte, 64<<10)
		for {
			n, err := socket.Read(packet)
			if err != nil {
				return // the test has ended
			}
			if segment, err := timeline.Read(packet[:n]); err == nil && !segment.InProgress {
				d.sent <- segment
			}
		}
	}()
	return d
}

// await takes segments until there is one of a name that has a part of another name, and is of interest. Its parts come before it.
func (d daemon) await(t *testing.T, name, part string, wanted func(timeline.Segment) bool) timeline.Segment {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	var sent []timeline.Segment
	for {
		select {
		case s := <-d.sent:
			sent = append(sent, s)
			whole := s.Whole(sent)
			if s.Name == name && wanted(s) && slices.ContainsFunc(whole.Subsegments, func(one timeline.Segment) bool { return strings.Contains(one.Name, part) }) {
				return whole
			}
		case <-deadline.C:
			t.Fatalf("no segment %s with %s among the %d that came", name, part, len(sent))
		}
	}
}

// traceID is one as X-Ray wants them: the time, and a number.
func traceID() string {
	return fmt.Sprintf("1-%08x-%08x%016x", time.Now().Unix(), rand.Uint32(), rand.Uint64())
}
