package gauge

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Namespace is that of all metrics.
const Namespace = "Backfill"

// The dimensions.
const (
	Stack    = "Stack"
	Database = "Database"
	Backfill = "Backfill" // name of the definition
	Reason   = "Reason"
)

const (
	// mostNames of definitions are told apart by one environment: each makes metrics that are paid for. The others are Others.
	mostNames = 50
	// Others is the name that all further definitions share, and Unknown of what nobody knows yet.
	Others  = "others"
	Unknown = "unknown"
)

// Dimensions are the sets by which every figure can be asked for. Alarms read the first; it has the figures of the stack as a whole.
func Dimensions() [][]string { return [][]string{{Stack}, {Stack, Database, Backfill}} }

// ReasonDimensions are those of Slowed.
func ReasonDimensions() [][]string { return [][]string{{Stack, Reason}} }

// Subject is what figures are of. Run and chunk are no dimensions.
type Subject struct {
	Run      string
	Chunk    int64
	Backfill string
	Reason   string // why a run is not faster, of a few; only beside Slowed
}

// Writer writes lines. A nil one writes nothing.
type Writer struct {
	mutex    sync.Mutex
	out      io.Writer
	stack    string
	level    string
	database func() string
	now      func() time.Time
	names    map[string]bool
}

// New makes a writer for a stack. Level is the one from which on Lambda lets lines through, "" for all. Database names the one that is worked on.
func New(out io.Writer, stack, level string, database func() string, now func() time.Time) *Writer {
	return &Writer{out: out, stack: stack, level: through(level), database: database, now: now, names: map[string]bool{}}
}

// through is the level of a line that gets through: Lambda drops what is below the function's, figures or not.
func through(level string) string {
	if level = strings.ToUpper(level); level == "WARN" || level == "ERROR" || level == "FATAL" {
		return level
	}
	return "INFO"
}

// Write writes one line. What is no number is left out: CloudWatch refuses a whole line for it.
func (w *Writer) Write(of Subject, figures Figures) {
	if w == nil || len(figures) == 0 {
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	now := w.now()
	line := map[string]any{
		"timestamp": now.UTC().Format(time.RFC3339Nano), "level": w.level, "message": "figures",
		Stack: w.stack, Database: cmp.Or(w.database(), Unknown), Backfill: w.named(of.Backfill),
	}
	var all, reasons []metric
	for _, gauge := range slices.SortedFunc(maps.Keys(figures), func(a, b Gauge) int { return strings.Compare(a.Name, b.Name) }) {
		values := finite(figures[gauge])
		switch {
		case len(values) == 0:
			continue
		case gauge == Slowed:
			reasons, line[Reason] = append(reasons, metric(gauge)), of.Reason
		default:
			all = append(all, metric(gauge))
		}
		line[gauge.Name] = values
		if len(values) == 1 {
			line[gauge.Name] = values[0]
		}
	}
	if of.Run != "" {
		line["run"] = of.Run
	}
	if of.Chunk > 0 {
		line["chunk"] = of.Chunk
	}
	line["_aws"] = metadata{Timestamp: now.UnixMilli(), Metrics: directives(all, reasons)}
	// A line that cannot be written is a gap in a graph, and no reason to stop a run.
	if text, err := json.Marshal(line); err == nil {
		_, _ = w.out.Write(append(text, '\n'))
	}
}

type metadata struct {
	Timestamp int64       `json:"Timestamp"`
	Metrics   []directive `json:"CloudWatchMetrics"`
}

type directive struct {
	Namespace  string     `json:"Namespace"`
	Dimensions [][]string `json:"Dimensions"`
	Metrics    []metric   `json:"Metrics"`
}

type metric struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

func directives(all, reasons []metric) []directive {
	var made []directive
	if len(all) > 0 {
		made = append(made, directive{Namespace, Dimensions(), all})
	}
	if len(reasons) > 0 {
		made = append(made, directive{Namespace, ReasonDimensions(), reasons})
	}
	return made
}

// named bounds the names of definitions.
func (w *Writer) named(name string) string {
	switch {
	case name == "":
		return Unknown
	case w.names[name]:
		return name
	case len(w.names) >= mostNames:
		return Others
	}
	w.names[name] = true
	return name
}

func finite(values []float64) []float64 {
	var sample Sample
	for _, value := range values {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			sample.Keep(value)
		}
	}
	return sample.Values()
}
