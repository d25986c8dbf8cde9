// Package timeline draws the segments that functions send to X-Ray's daemon, as its console would: a row each, over one time.
//
// It owns how a packet is read and how rows lie. It leaves to its callers who listens, and which segments are of interest. Invariant: a
// picture shows what was sent, and nothing else: no segment of Lambda's own, and no time that was not measured.
package timeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Segment is a part of a trace: what a function did between two moments, in seconds since 1970.
type Segment struct {
	ID          string         `json:"id"`
	Parent      string         `json:"parent_id"`
	Name        string         `json:"name"`
	TraceID     string         `json:"trace_id"`
	Start       float64        `json:"start_time"`
	End         float64        `json:"end_time"`
	Namespace   string         `json:"namespace"` // "aws": a call to AWS
	InProgress  bool           `json:"in_progress"`
	Annotations map[string]any `json:"annotations"`
	AWS         struct {
		Operation string `json:"operation"`
	} `json:"aws"`
	Subsegments []Segment `json:"subsegments"`
}

// Read reads a packet to the daemon: a line that says its format, and the segment.
func Read(packet []byte) (Segment, error) {
	var s Segment
	_, document, found := bytes.Cut(packet, []byte("\n"))
	if !found {
		return s, fmt.Errorf("a packet has no line before its segment: %.40q", packet)
	}
	if err := json.Unmarshal(document, &s); err != nil {
		return s, fmt.Errorf("read a segment: %w", err)
	}
	return s, nil
}

// Whole is a segment with those of its parts that were sent by themselves, in the order in which they began: of a segment with many parts the SDK
// sends some before it ends.
func (s Segment) Whole(sent []Segment) Segment {
	parts := slices.Clone(s.Subsegments)
	for _, one := range sent {
		if one.Parent == s.ID {
			parts = append(parts, one)
		}
	}
	slices.SortStableFunc(parts, func(a, b Segment) int { return cmp.Compare(a.Start, b.Start) })
	s.Subsegments = parts
	return s
}

// label is what a row is called: a call to AWS by its operation as well.
func (s Segment) label() string { return strings.TrimSpace(s.Name + " " + s.AWS.Operation) }

// milliseconds of the segment.
func (s Segment) milliseconds() float64 { return (s.End - s.Start) * 1000 }
