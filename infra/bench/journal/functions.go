package journal

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
)

// Lambda's lines. A line of a function's own begins otherwise.
var (
	reported = regexp.MustCompile(`(?m)^REPORT .*`)
	used     = regexp.MustCompile(`\tMax Memory Used: (\d+) MB`)
	began    = regexp.MustCompile(`\tInit Duration: ([\d.]+) ms`)
)

// memory is the highest that was reported, in bytes; 0: nobody knows.
func memory(log []byte) (peak int64) {
	for _, report := range reported.FindAll(log, -1) {
		if found := used.FindSubmatch(report); found != nil {
			mb, _ := strconv.ParseInt(string(found[1]), 10, 64)
			peak = max(peak, mb<<20)
		}
	}
	return peak
}

// inits are those of processes that were started.
func inits(log []byte) (all []float64) {
	for _, report := range reported.FindAll(log, -1) {
		if found := began.FindSubmatch(report); found != nil {
			ms, _ := strconv.ParseFloat(string(found[1]), 64)
			all = append(all, ms)
		}
	}
	return all
}

// answers are invocations that ended.
func answers(log []byte) int64 { return int64(len(reported.FindAll(log, -1))) }

// Delivered is what workers told of the chunks that they left.
type Delivered struct {
	Chunks  int64 // left, more than once where a chunk was given back
	Millis  int64 // from a message to its end
	Batches int64 // of them in batches, milliseconds
}

// BatchTimes are those of workers' figures, in milliseconds: of each delivery at most a hundred, evenly over it.
func BatchTimes(log []byte) (all []float64) {
	for line := range bytes.Lines(log) {
		var told struct {
			Message string          `json:"message"`
			Took    json.RawMessage `json:"BatchTime"`
		}
		if json.Unmarshal(line, &told) != nil || told.Message != "figures" || told.Took == nil {
			continue
		}
		var many []float64
		if json.Unmarshal(told.Took, &many) != nil { // one is no list
			many = make([]float64, 1)
			if json.Unmarshal(told.Took, &many[0]) != nil {
				continue
			}
		}
		all = append(all, many...)
	}
	return all
}

func delivered(log []byte) (d Delivered) {
	for line := range bytes.Lines(log) {
		var told struct {
			Message string `json:"message"`
			Millis  int64  `json:"ms"`
			Batches int64  `json:"batch_ms"`
		}
		if json.Unmarshal(line, &told) == nil && told.Message == "chunk left" {
			d.Chunks++
			d.Millis += told.Millis
			d.Batches += told.Batches
		}
	}
	return d
}
